"""Forest plots: one row a group, its share with an exact interval, beside that of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.plots.style import INK, MUTED, PAPER, look, percent_axis, styled


@dataclass(frozen=True)
class ForestRow:
    """One group; shares lie in [0, 1].

    `share` is None for a group that is too small for a rate: its interval is drawn hollow. Without
    an interval too, `note` stands in the row's place.
    """

    label: str
    share: float | None
    lower: float | None
    upper: float | None
    note: str = ""


@dataclass(frozen=True)
class ForestPanel:
    """One quantity by group: axis label, rows from the top, and the share of all."""

    label: str
    rows: Sequence[ForestRow]
    everyone: float | None


@styled
def forest_figure(panels: Sequence[ForestPanel]) -> Figure:
    """Draw panels side by side with the same groups in the same rows."""
    num_rows = len(panels[0].rows)
    figure = Figure(figsize=(4.4 * len(panels) + 1.6, 0.34 * num_rows + 1.3), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for series, (each, panel) in enumerate(zip(axes, panels, strict=True)):
        _draw_rows(each, panel, series)
    axes[0].set_yticks(np.arange(num_rows), [row.label for row in panels[0].rows])
    axes[0].set_ylim(num_rows - 0.5, -0.5)
    return figure


def _draw_rows(axes: Axes, panel: ForestPanel, series: int) -> None:
    style = look(series)
    highest = max([row.upper for row in panel.rows if row.upper is not None], default=0.1)
    for place, row in enumerate(panel.rows):
        if row.lower is None or row.upper is None:
            axes.annotate(row.note, (0.01, place), xycoords=("axes fraction", "data"), va="center")
            continue
        ends = (100 * row.lower, 100 * row.upper)
        axes.plot(ends, (place, place), color=style.colour, linewidth=1.6)
        small = row.share is None
        middle = sum(ends) / 2 if row.share is None else 100 * row.share
        face = PAPER if small else style.colour
        axes.plot(middle, place, marker="|" if small else style.marker, color=style.colour,
                  markerfacecolor=face, clip_on=False)  # fmt: skip
    if panel.everyone is not None:
        axes.axvline(100 * panel.everyone, color=INK, linestyle=(0, (2, 2)), linewidth=1.0)
        text = f"all: {100 * panel.everyone:.1f}%"
        above: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "va": "bottom"}
        axes.annotate(text, (100 * panel.everyone, 1.005), color=MUTED, **above)
    axes.grid(visible=False, axis="y")
    percent_axis(axes, "x", panel.label, highest=min(100.0, 105 * highest))
