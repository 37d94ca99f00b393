"""Bars side by side: a few methods in a few groups, with the spread over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from pipeline.plots.style import INK, PAPER, look, styled

HATCHES = ("", "////", "\\\\\\\\", "xxxx", "----", "||||")
"""Of lines alone: a pattern of dots takes a page as much as all its tables."""


@dataclass(frozen=True)
class BarSeries:
    """One method's values, a share in [0, 1] a group; the spread is NaN for a single seed."""

    label: str
    value: Float[np.ndarray, "groups"]
    spread: Float[np.ndarray, "groups"]


@dataclass(frozen=True)
class BarPanel:
    """One quantity: its axis label, and one series a method."""

    label: str
    series: Sequence[BarSeries]


@styled
def bars_figure(panels: Sequence[BarPanel], *, groups: Sequence[str]) -> Figure:
    """Draw one panel a quantity, in percent from 0; methods differ in colour and hatching."""
    figure = Figure(figsize=(4.4 * len(panels), 3.4), layout="constrained")
    places = np.arange(len(groups))
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        width = 0.8 / len(panel.series)
        for number, series in enumerate(panel.series):
            middle = places + (number - (len(panel.series) - 1) / 2) * width
            axes.bar(
                middle, 100 * series.value, 0.92 * width, yerr=100 * np.nan_to_num(series.spread),
                color=look(number).colour, hatch=HATCHES[number % len(HATCHES)], edgecolor=PAPER,
                ecolor=INK, error_kw={"lw": 1.0}, label=series.label,
            )  # fmt: skip
        axes.set_xticks(places, groups)
        axes.grid(visible=False, axis="x")
        axes.set_ylim(bottom=0)
        axes.set_ylabel(panel.label)
        axes.yaxis.set_major_formatter("{x:g}%")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure
