"""Reliability diagrams: how often the model is right when it says how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures.style import (
    INK,
    MUTED,
    PAPER,
    TITLE_CHARACTERS,
    legend_beneath,
    look,
    percent_axis,
    shade,
    styled,
)
from pipeline.method_names import titled
from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM


@styled
def reliability_figure(
    bins: pd.DataFrame,
    confidence: pd.DataFrame,
    smooth: pd.DataFrame,
    *,
    calibrators: Sequence[str],
    series: int = 0,
) -> Figure:
    """Draw one reliability diagram a calibrator, above the histograms of confidence if there are.

    Bins of fewer than 10 cases are left out and those of 10 to 29 drawn hollow: too few for a
    rate. Grey bars on the diagonal show where a calibrated model would fall,
    all bins together.

    Parameters
    ----------
    bins, confidence, smooth : DataFrame
        One loss's rows of ``reliability`` (counts are means over seeds), ``confidence`` and
        ``smooth_curve``, the latter two of one seed. Without a smooth curve a line goes from bin
        to bin.
    calibrators : sequence of str
        Drawn from left to right on shared axes.
    series : int
        Index of the colour and marker.
    """
    counted = not confidence.empty
    figure = Figure(figsize=(5.4, 4.2 if counted else 3.4), layout="constrained")
    axes = figure.subplots(
        1 + counted,
        len(calibrators),
        sharex=True,
        sharey="row",
        squeeze=False,
        height_ratios=(3.2, 1)[: 1 + counted],
    )
    for column, calibrator in enumerate(calibrators):
        rows, counts, curve = (
            each if each.empty else each[each["calibrator"] == calibrator]
            for each in (bins, confidence, smooth)
        )
        axes[0, column].set_title(fill(titled(calibrator), TITLE_CHARACTERS))
        _draw_diagram(axes[0, column], rows[rows["count"] >= MASK_BELOW], curve, series)
        if counted:
            _draw_counts(axes[1, column], counts, series)
        percent_axis(axes[-1, column], "x", "confidence, %")
        axes[-1, column].set_xticks((0, 50, 100))
    percent_axis(axes[0, 0], "y", "right, % of the bin")
    if counted:
        axes[1, 0].set_ylabel("cases")
    legend_beneath(figure, columns=2)
    return figure


def _draw_diagram(axes: Axes, bins: pd.DataFrame, smooth: pd.DataFrame, series: int) -> None:
    style = look(series)
    x, y = 100 * bins["confidence"], 100 * bins["accuracy"]
    ends = (100 * bins["consistency_lower"], 100 * bins["consistency_upper"])
    axes.plot((0, 100), (0, 100), color=MUTED, linewidth=0.9, label="calibrated")
    bars: dict[str, Any] = {"color": MUTED, "linewidth": 4, "alpha": 0.38, "zorder": 2}
    axes.vlines(x, *ends, label="95% of calibrated models, all bins", **bars)
    if smooth.empty:
        axes.plot(x, y, color=style.colour, linewidth=1.2, zorder=3)
    else:
        _draw_smooth(axes, smooth, style.colour)
    points: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": "none"}
    full = bins["count"] >= RATE_FROM
    kinds = (
        (full, style.colour, f"bins of {RATE_FROM} or more"),
        (~full, PAPER, f"bins of {MASK_BELOW} to {RATE_FROM - 1}"),
    )
    for which, face, label in kinds:
        # An unclipped line without points would leave the layout no room at all.
        if which.any():
            axes.plot(
                x[which], y[which], markerfacecolor=face, label=label, clip_on=False, zorder=4,
                **points,
            )  # fmt: skip


def _draw_smooth(axes: Axes, smooth: pd.DataFrame, colour: str) -> None:
    columns = ("confidence", "accuracy", "lower", "upper")
    x, y, lower, upper = (100 * smooth[name] for name in columns)
    shade(axes, x, (lower, upper), colour, alpha=0.16, label="its pointwise 95% band")
    axes.plot(x, y, color=colour, linewidth=1.4, zorder=3, label="smooth curve")


def _draw_counts(axes: Axes, counts: pd.DataFrame, series: int) -> None:
    left, right, wrong = counts["lower_edge"], counts["right"], counts["wrong"]
    edges = 100 * np.append(left, counts["upper_edge"].iloc[-1])
    bars: dict[str, Any] = {"align": "edge", "width": np.diff(edges), "lw": 0.4, "edgecolor": INK}
    axes.bar(edges[:-1], right, color=look(series).colour, label="right", **bars)
    axes.bar(edges[:-1], wrong, bottom=right, color=PAPER, hatch="/////", label="wrong", **bars)
    total = f"n = {right.sum() + wrong.sum():,.0f}"
    axes.annotate(total, (0.03, 0.93), xycoords="axes fraction", va="top")
