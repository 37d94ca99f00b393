"""Risk-coverage curves of several groups laid over one another, one panel a kind of group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures.selective import APPROVED, draw_target
from pipeline.figures.style import INK, legend_beneath, look, percent_axis, shade, styled

Curves = Mapping[str, pd.DataFrame]


@styled
def curve_panels_figure(
    panels: Mapping[str, Curves],
    *,
    x_label: str,
    target: float,
    points: pd.DataFrame | None = None,
) -> Figure:
    """Draw panels side by side, three a row, all with the same scale of risk.

    Parameters
    ----------
    panels : mapping of str to mapping of str to DataFrame
        By title, curves by label: rows of ``long_tail_curves``, drawn as means with a band of one
        ``risk_sd``, or of ``group_curves``, drawn in steps at the attained points.
    x_label : str
        What is answered.
    target : float
        The risk that must not be exceeded, in [0, 1].
    points : DataFrame, optional
        Where the approved threshold puts groups: ``coverage``, ``risk``, ``lower``, ``upper`` by
        ``column`` and ``group`` of the curves.
    """
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.0 * columns, 3.7 * rows), layout="constrained")
    every = figure.subplots(rows, columns, squeeze=False).ravel()
    marked = {title: _marked(curves, points) for title, curves in panels.items()}
    ends = [_highest(curve) for curves in panels.values() for curve in curves.values()]
    ends += [point["upper"] for each in marked.values() for point in each.values()]
    for axes, (title, curves) in zip(every, panels.items(), strict=False):
        axes.set_title(title)
        _draw_curves(axes, curves)
        _draw_points(axes, marked[title])
        draw_target(axes, target, side="left")
        percent_axis(axes, "x", x_label)
        percent_axis(axes, "y", "wrong, % of the answered", highest=105 * max(1.4 * target, *ends))
    for axes in every[len(panels) :]:
        axes.remove()
    _name_curves(figure, list(every[: len(panels)]))
    return figure


def _marked(curves: Curves, points: pd.DataFrame | None) -> dict[int, pd.Series]:
    """Return the points of those curves that have one, by the curve's number."""
    if points is None:
        return {}
    keys = (tuple(curve[["column", "group"]].iloc[0]) for curve in curves.values())
    return {number: points.loc[key] for number, key in enumerate(keys) if key in points.index}


def _name_curves(figure: Figure, every: Sequence[Axes]) -> None:
    """Put one legend beneath where all panels have the same curves, else one in each."""
    names = [axes.get_legend_handles_labels()[1] for axes in every]
    if len(every) > 1 and all(each == names[0] for each in names):
        legend_beneath(figure)
        return
    for axes in every:
        axes.legend(loc="best")


def _risk(curve: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return a curve's risk and its spread, which is NaN for one curve alone."""
    if "risk_mean" in curve:
        return curve["risk_mean"], curve["risk_sd"]
    return curve["risk"], curve["risk"] * np.nan


def _highest(curve: pd.DataFrame) -> float:
    risk, spread = _risk(curve)
    return float((risk + spread.fillna(0.0)).max())


def _draw_curves(axes: Axes, curves: Curves) -> None:
    for number, (label, curve) in enumerate(curves.items()):
        style = look(number)
        x, (y, spread) = 100 * curve["coverage"], (100 * each for each in _risk(curve))
        drawn: dict[str, Any] = {"color": style.colour, "linestyle": style.dash, "label": label}
        if spread.isna().all():
            # A single point is no line.
            drawn |= {"marker": style.marker if len(x) == 1 else "", "clip_on": len(x) > 1}
            axes.plot(x, y, drawstyle="steps-post", **drawn)
            continue
        axes.plot(x, y, **drawn)
        shade(axes, x, ((y - spread).clip(lower=0), y + spread), style.colour)


def _draw_points(axes: Axes, points: Mapping[int, pd.Series]) -> None:
    for place, (number, point) in enumerate(points.items()):
        style = look(number)
        x, y, lower, upper = (100 * point[key] for key in ("coverage", "risk", "lower", "upper"))
        axes.vlines(x, lower, upper, color=style.colour, linewidth=1.3)
        axes.plot(
            x, y, linestyle="none", marker=style.marker, markersize=7, color=style.colour,
            markeredgecolor=INK, zorder=5, clip_on=False, label="_" if place else APPROVED,
        )  # fmt: skip
