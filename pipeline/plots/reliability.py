"""Reliability diagrams: how often the model is right when it says how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.plots.style import INK, MUTED, PAPER, look, percent_axis, styled

Bins = Float[np.ndarray, "bins"]


@dataclass(frozen=True)
class ConfidenceHistogram:
    """How many cases a model was so sure of, the right and the wrong apart.

    `edges` (bins + 1,) are shares in [0, 1]; `right` and `wrong` (bins,) are counts.
    """

    edges: Float[np.ndarray, "edges"]
    right: Bins
    wrong: Bins


@dataclass(frozen=True)
class SmoothBand:
    """Accuracy as a smooth function of confidence with a pointwise 95 % band; shares in [0, 1]."""

    confidence: Float[np.ndarray, "points"]
    accuracy: Float[np.ndarray, "points"]
    lower: Float[np.ndarray, "points"]
    upper: Float[np.ndarray, "points"]


@dataclass(frozen=True)
class ReliabilityBins:
    """One model's confidence bins; shares lie in [0, 1] and are NaN in an empty bin.

    Attributes
    ----------
    title : str
        Written above the panel.
    count : float array, (bins,)
        Cases in the bin, the mean over seeds.
    confidence, accuracy : float arrays, (bins,)
        Mean confidence, and the share that was right.
    consistency_lower, consistency_upper : float arrays, (bins,)
        The ranges in all of which 95 % of calibrated models lie.
    histogram : ConfidenceHistogram, optional
        Drawn beneath.
    smooth : SmoothBand, optional
        Drawn as the line in the place of one from bin to bin.
    """

    title: str
    count: Bins
    confidence: Bins
    accuracy: Bins
    consistency_lower: Bins
    consistency_upper: Bins
    histogram: ConfidenceHistogram | None = None
    smooth: SmoothBand | None = None


@styled
def reliability_figure(panels: Sequence[ReliabilityBins], *, series: int = 0) -> Figure:
    """Draw one reliability diagram a panel, above the histograms of confidence if all have one.

    Bins of fewer than 10 cases are left out and those of 10 to 29 drawn hollow: too few for a
    rate. Grey bars on the diagonal show where a calibrated model would fall,
    all bins together.

    Parameters
    ----------
    panels : sequence of ReliabilityBins
        Drawn from left to right on shared axes.
    series : int
        Index of the colour and marker.
    """
    counted = all(panel.histogram is not None for panel in panels)
    figure = Figure(figsize=(5.4, 4.2 if counted else 3.4), layout="constrained")
    axes = figure.subplots(
        1 + counted,
        len(panels),
        sharex=True,
        sharey="row",
        squeeze=False,
        height_ratios=(3.2, 1)[: 1 + counted],
    )
    for column, panel in enumerate(panels):
        _draw_diagram(axes[0, column], panel, series)
        if panel.histogram is not None and counted:
            _draw_counts(axes[1, column], panel.histogram, series)
        percent_axis(axes[-1, column], "x", "confidence, %")
        axes[-1, column].set_xticks((0, 50, 100))
    percent_axis(axes[0, 0], "y", "right, % of the bin")
    if counted:
        axes[1, 0].set_ylabel("cases")
    _draw_legend(figure)
    return figure


def _draw_legend(figure: Figure) -> None:
    """Name what any panel shows, once, beneath all."""
    entries: dict[str, Artist] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=2)


def _draw_diagram(axes: Axes, panel: ReliabilityBins, series: int) -> None:
    style = look(series)
    shown = panel.count >= MASK_BELOW
    full = panel.count >= RATE_FROM
    x, y = 100 * panel.confidence, 100 * panel.accuracy
    lower, upper = 100 * panel.consistency_lower, 100 * panel.consistency_upper
    axes.plot((0, 100), (0, 100), color=MUTED, linewidth=0.9, label="calibrated")
    bars: dict[str, Any] = {"color": MUTED, "linewidth": 4, "alpha": 0.38, "zorder": 2}
    axes.vlines(
        x[shown], lower[shown], upper[shown], label="95% of calibrated models, all bins", **bars
    )
    if panel.smooth is None:
        axes.plot(x[shown], y[shown], color=style.colour, linewidth=1.2, zorder=3)
    else:
        _draw_smooth(axes, panel.smooth, style.colour)
    points: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": "none"}
    kinds = (
        (full, style.colour, f"bins of {RATE_FROM} or more"),
        (shown & ~full, PAPER, f"bins of {MASK_BELOW} to {RATE_FROM - 1}"),
    )
    for which, face, label in kinds:
        # An unclipped line without points would leave the layout no room at all.
        if which.any():
            axes.plot(
                x[which], y[which], markerfacecolor=face, label=label, clip_on=False, zorder=4,
                **points,
            )  # fmt: skip
    axes.set_title(panel.title)


def _draw_smooth(axes: Axes, smooth: SmoothBand, colour: str) -> None:
    x = 100 * smooth.confidence
    band: dict[str, Any] = {"color": colour, "alpha": 0.16, "lw": 0}
    axes.fill_between(
        x, 100 * smooth.lower, 100 * smooth.upper, label="its pointwise 95% band", **band
    )
    axes.plot(x, 100 * smooth.accuracy, color=colour, linewidth=1.4, zorder=3, label="smooth curve")


def _draw_counts(axes: Axes, histogram: ConfidenceHistogram, series: int) -> None:
    edges = 100 * histogram.edges
    bars: dict[str, Any] = {"align": "edge", "width": np.diff(edges), "lw": 0.4, "edgecolor": INK}
    axes.bar(edges[:-1], histogram.right, color=look(series).colour, label="right", **bars)
    axes.bar(
        edges[:-1], histogram.wrong, bottom=histogram.right, color=PAPER, hatch="/////",
        label="wrong", **bars,
    )  # fmt: skip
    total = f"n = {histogram.right.sum() + histogram.wrong.sum():,.0f}"
    axes.annotate(total, (0.03, 0.93), xycoords="axes fraction", va="top")
