"""Risk-coverage curves of several groups laid over one another, one panel a kind of group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.plots.selective import draw_target
from pipeline.plots.style import INK, look, percent_axis, styled

Grid = Float[np.ndarray, "points"]


@dataclass(frozen=True)
class MarkedPoint:
    """Where a threshold puts a group: shares in [0, 1], the risk with the ends of its interval."""

    coverage: float
    risk: float
    lower: float
    upper: float


@dataclass(frozen=True)
class GroupCurve:
    """One curve of shares in [0, 1].

    `spread` lies above and below a mean of curves; it is NaN for one curve alone, which is drawn in
    steps at its attained points.
    """

    label: str
    series: int
    coverage: Grid
    risk: Grid
    spread: Grid
    marked: MarkedPoint | None = None


@dataclass(frozen=True)
class CurvePanel:
    """Curves that share a pair of axes: title, what is answered, and the curves."""

    title: str
    x_label: str
    curves: Sequence[GroupCurve]


@styled
def curve_panels_figure(panels: Sequence[CurvePanel], *, target: float, mark: str = "") -> Figure:
    """Draw panels side by side, three a row, all with the same scale of risk.

    Parameters
    ----------
    panels : sequence of CurvePanel
    target : float
        The risk that must not be exceeded, in [0, 1].
    mark : str
        What the marked points are, for the last entry of a legend; curves need not have any.
    """
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.0 * columns, 3.7 * rows), layout="constrained")
    every = figure.subplots(rows, columns, squeeze=False).ravel()
    highest = max(1.4 * target, *(_highest(curve) for panel in panels for curve in panel.curves))
    for axes, panel in zip(every, panels, strict=False):
        _draw_panel(axes, panel, mark)
        draw_target(axes, target, side="left")
        percent_axis(axes, "x", panel.x_label)
        percent_axis(axes, "y", "wrong, % of the answered", highest=105 * highest)
    _name_curves(figure, list(every[: len(panels)]))
    for axes in every[len(panels) :]:
        axes.remove()
    return figure


def _name_curves(figure: Figure, every: Sequence[Axes]) -> None:
    """Put one legend beneath where all panels have the same curves, else one in each."""
    handles, labels = every[0].get_legend_handles_labels()
    if len(every) > 1 and all(each.get_legend_handles_labels()[1] == labels for each in every):
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 6))
        return
    for axes in every:
        axes.legend(loc="best")


def _highest(curve: GroupCurve) -> float:
    limit = curve.marked.upper if curve.marked else 0.0
    return max(limit, float((curve.risk + np.nan_to_num(curve.spread)).max()))


def _draw_panel(axes: Axes, panel: CurvePanel, mark: str) -> None:
    axes.set_title(panel.title)
    for curve in panel.curves:
        style = look(curve.series)
        x, y, spread = 100 * curve.coverage, 100 * curve.risk, 100 * curve.spread
        drawn: dict[str, Any] = {"color": style.colour, "linestyle": style.dash}
        if np.isnan(spread).all():
            # A single point is no line.
            drawn |= {"marker": style.marker if len(x) == 1 else "", "clip_on": len(x) > 1}
            axes.plot(x, y, drawstyle="steps-post", label=curve.label, **drawn)
            continue
        axes.plot(x, y, label=curve.label, **drawn)
        ends = (np.maximum(0, y - spread), y + spread)
        axes.fill_between(x, *ends, color=style.colour, alpha=0.14, lw=0)
    marked = [(look(curve.series), curve.marked) for curve in panel.curves if curve.marked]
    for number, (style, point) in enumerate(marked):
        place, ends = 100 * point.coverage, (100 * point.lower, 100 * point.upper)
        axes.vlines(place, *ends, color=style.colour, linewidth=1.3)
        axes.plot(
            place, 100 * point.risk, linestyle="none", marker=style.marker, markersize=7,
            color=style.colour, markeredgecolor=INK, zorder=5, clip_on=False,
            label=mark if number == 0 else "_",
        )  # fmt: skip
