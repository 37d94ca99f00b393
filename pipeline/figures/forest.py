"""Forest plots: one row a group, its share with an exact interval, beside that of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures.style import INK, MUTED, PAPER, look, percent_axis, styled
from pipeline.metrics.group_shares import MASK_BELOW

MASKED_NOTE = f"masked: below {MASK_BELOW}, or would give such a group away"


@styled
def forest_figure(
    groups: pd.DataFrame, *, labels: Mapping[str, str], everyone: Mapping[str, float]
) -> Figure:
    """Draw panels side by side with the same groups in the same rows.

    Parameters
    ----------
    groups : DataFrame
        Of ``groups``, with a row a quantity and group. A group without a share is too small for a
        rate: its interval is drawn hollow; a masked one has a note in its place.
    labels : mapping of str to str
        Axis labels by quantity, one a panel.
    everyone : mapping of str to float
        The share of all by quantity; NaN draws none.
    """
    panels = [groups[groups["quantity"] == quantity] for quantity in labels]
    size = (4.4 * len(panels) + 1.6, 0.34 * len(panels[0]) + 1.3)
    figure = Figure(figsize=size, layout="constrained")
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for series, (axes, rows, quantity) in enumerate(zip(every, panels, labels, strict=True)):
        _draw_rows(axes, rows, series)
        _draw_share_of_all(axes, everyone[quantity])
        axes.grid(visible=False, axis="y")
        highest = rows.loc[rows["visibility"] != "masked", "upper"].max()
        highest = 0.1 if np.isnan(highest) else highest
        percent_axis(axes, "x", labels[quantity], highest=min(100.0, 105 * highest))
    names = [_name(row) for _, row in panels[0].iterrows()]
    every[0].set_yticks(np.arange(len(names)), names)
    every[0].set_ylim(len(names) - 0.5, -0.5)
    return figure


def _name(row: pd.Series) -> str:
    size = "" if row["visibility"] == "masked" else f" (n = {row['num_patients']:,.0f})"
    return f"{row['column'].replace('_', ' ')}: {row['group']}{size}"


def _draw_rows(axes: Axes, rows: pd.DataFrame, series: int) -> None:
    style = look(series)
    for place, (_, row) in enumerate(rows.iterrows()):
        if row["visibility"] == "masked":
            where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
            axes.annotate(MASKED_NOTE, (0.01, place), **where)
            continue
        ends = (100 * row["lower"], 100 * row["upper"])
        axes.plot(ends, (place, place), color=style.colour, linewidth=1.6)
        small = np.isnan(row["share"])
        middle = sum(ends) / 2 if small else 100 * row["share"]
        axes.plot(middle, place, marker="|" if small else style.marker, color=style.colour,
                  markerfacecolor=PAPER if small else style.colour, clip_on=False)  # fmt: skip


def _draw_share_of_all(axes: Axes, share: float) -> None:
    if np.isnan(share):
        return
    axes.axvline(100 * share, color=INK, linestyle=(0, (2, 2)), linewidth=1.0)
    above: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "va": "bottom"}
    axes.annotate(f"all: {100 * share:.1f}%", (100 * share, 1.005), color=MUTED, **above)
