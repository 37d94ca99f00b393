"""Reliability diagrams: how often the model is right when it says how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.plots.style import INK, MUTED, PAPER, look, percent_axis, styled

Bins = Float[np.ndarray, "bins"]


@dataclass(frozen=True)
class ReliabilityBins:
    """One model's confidence bins; shares lie in [0, 1] and are NaN in an empty bin.

    Attributes
    ----------
    title : str
        Written above the panel.
    lower_edge, upper_edge : float arrays, (bins,)
        Bin edges in confidence.
    count : float array, (bins,)
        Cases in the bin, the mean over seeds.
    confidence, accuracy : float arrays, (bins,)
        Mean confidence, and the share that was right.
    consistency_lower, consistency_upper : float arrays, (bins,)
        Where a calibrated model's accuracy would fall with 95 % probability.
    """

    title: str
    lower_edge: Bins
    upper_edge: Bins
    count: Bins
    confidence: Bins
    accuracy: Bins
    consistency_lower: Bins
    consistency_upper: Bins


@styled
def reliability_figure(panels: Sequence[ReliabilityBins], *, unit: str, series: int = 0) -> Figure:
    """Draw one reliability diagram a panel, each above the histogram of its confidences.

    Bins of fewer than 10 cases are left out and those of 10 to 29 drawn hollow: too few for a
    rate. Grey bars on the diagonal show where a calibrated model would fall.

    Parameters
    ----------
    panels : sequence of ReliabilityBins
        Drawn from left to right on shared axes.
    unit : str
        What is counted, in the plural.
    series : int
        Index of the colour and marker.
    """
    figure = Figure(figsize=(3.6 * len(panels) + 0.5, 4.8), layout="constrained")
    axes = figure.subplots(
        2, len(panels), sharex=True, sharey="row", squeeze=False, height_ratios=(3.2, 1)
    )
    for column, panel in enumerate(panels):
        _draw_diagram(axes[0, column], panel, series)
        _draw_counts(axes[1, column], panel, series)
        percent_axis(axes[1, column], "x", "confidence, %")
    percent_axis(axes[0, 0], "y", "right, % of the bin")
    axes[1, 0].set_ylabel(f"{unit}\nin the bin")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, columnspacing=1.2)
    return figure


def _draw_diagram(axes: Axes, panel: ReliabilityBins, series: int) -> None:
    style = look(series)
    shown = panel.count >= MASK_BELOW
    full = panel.count >= RATE_FROM
    x, y = 100 * panel.confidence, 100 * panel.accuracy
    lower, upper = 100 * panel.consistency_lower, 100 * panel.consistency_upper
    axes.plot((0, 100), (0, 100), color=MUTED, linewidth=0.9, label="calibrated")
    bars: dict[str, Any] = {"color": MUTED, "linewidth": 6, "alpha": 0.38, "zorder": 2}
    axes.vlines(x[shown], lower[shown], upper[shown], label="95% of calibrated models", **bars)
    axes.plot(x[shown], y[shown], color=style.colour, linewidth=1.2, zorder=3)
    points: dict[str, Any] = {
        "color": style.colour,
        "marker": style.marker,
        "linestyle": "none",
        "zorder": 4,
    }
    axes.plot(x[full], y[full], label=f"{RATE_FROM} or more in the bin", **points)
    few = shown & ~full
    axes.plot(
        x[few], y[few], markerfacecolor=PAPER, label=f"{MASK_BELOW} to {RATE_FROM - 1}", **points
    )
    axes.set_title(panel.title)


def _draw_counts(axes: Axes, panel: ReliabilityBins, series: int) -> None:
    left, width = 100 * panel.lower_edge, 100 * (panel.upper_edge - panel.lower_edge)
    colour = look(series).colour
    axes.bar(
        left, panel.count, width, align="edge", color=colour, alpha=0.55, edgecolor=INK, lw=0.4
    )
    total = f"n = {panel.count.sum():,.0f}"
    axes.annotate(total, (0.03, 0.93), xycoords="axes fraction", va="top")
