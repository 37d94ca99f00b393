"""What a model does on damaged images and at other sites: small multiples, one column a shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures.style import INK, legend_beneath, look, shade, styled
from pipeline.method_names import titled


@styled
def shift_figure(
    rows: pd.DataFrame,
    *,
    losses: Sequence[str],
    quantities: Mapping[str, str],
    target: float | None = None,
) -> Figure:
    """Draw one row a quantity and one column a corruption, in percent on axes shared along a row.

    Severities are joined, with a band; sites stand apart in one column, with intervals. The first
    row runs to 100 %, the others as far as they must.

    Parameters
    ----------
    rows : DataFrame
        Of ``shift``, one a loss and view of one partner; beside each quantity its limits
        ``QUANTITY_lower`` and ``QUANTITY_upper``.
    losses : sequence of str
    quantities : mapping of str to str
        The columns to draw, each with its axis label.
    target : float, optional
        A share in [0, 1] that the last row must not exceed.
    """
    sites = bool((rows["kind"] == "site").all())
    columns = {"": rows} if sites else _by_corruption(rows)
    size = (max(5.4, 2.5 * len(columns)), 2.3 * len(quantities) + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(quantities), len(columns), squeeze=False, sharex="col", sharey="row")
    for column, (title, part) in zip(axes.T, columns.items(), strict=True):
        column[0].set_title(title)
        for each, quantity in zip(column, quantities, strict=True):
            _draw_column(each, part, losses, quantity)
        views = part[part["loss"] == losses[0]]
        names = (
            _site_names(views) if sites else [f"{each or 'clean'}" for each in views["severity"]]
        )
        column[-1].set_xticks(np.arange(len(names)), names)
        column[-1].set_xlabel("site" if sites else f"severity, n = {rows['cases'].max():,.0f}")
        if target is not None:
            column[-1].axhline(100 * target, color=INK, linewidth=1.1, linestyle=(0, (2, 2)),
                               label=f"target {100 * target:g}%")  # fmt: skip
    for row, label in enumerate(quantities.values()):
        axes[row, 0].set_ylabel(label)
        axes[row, 0].set_ylim(bottom=0, top=None if row else 102)
        axes[row, 0].yaxis.set_major_formatter("{x:g}%")
    legend_beneath(figure)
    return figure


def _by_corruption(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of each corruption by severity, from those of the undamaged images on."""
    clean = rows[rows["corruption"] == ""]
    return {
        str(corruption): pd.concat([clean, part]).sort_values("severity", kind="stable")
        for corruption, part in rows.groupby("corruption", sort=False)
        if corruption
    }


def _site_names(views: pd.DataFrame) -> list[str]:
    """Return the sites with their number of patients; a masked one has none."""
    return [
        f"{site}\n{'masked' if np.isnan(number) else f'n = {number:,.0f}'}"
        for site, number in zip(views["view"], views["patients"], strict=True)
    ]


def _draw_column(axes: Axes, rows: pd.DataFrame, losses: Sequence[str], quantity: str) -> None:
    for number, loss in enumerate(losses):
        own, style = rows[rows["loss"] == loss], look(number)
        x = np.arange(len(own), dtype=float)
        y, lower, upper = (100 * own[f"{quantity}{end}"] for end in ("", "_lower", "_upper"))
        marks: dict[str, Any] = {
            "color": style.colour,
            "marker": style.marker,
            "label": titled(loss),
        }
        if (own["kind"] != "site").all():
            axes.plot(x, y, linestyle=style.dash, **marks)
            shade(axes, x, (lower, upper), style.colour)
            continue
        x += (number - (len(losses) - 1) / 2) * 0.12
        known = np.isfinite(lower)
        axes.vlines(x[known], lower[known], upper[known], color=style.colour, linewidth=1.4)
        axes.plot(x, y, linestyle="none", **marks)
        axes.set_xlim(-0.5, len(x) - 0.5)
