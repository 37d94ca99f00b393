"""Confidence on a model's own test cases beside that on cases out of its scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from pipeline.plots.style import INK, MUTED, look, percent_axis, styled


@dataclass(frozen=True)
class ConfidenceShares:
    """Shares of the cases by confidence: `edges` (bins + 1,) and `share` (bins,) in [0, 1].

    `series` is None for the known cases, which are drawn as a grey area.
    """

    label: str
    series: int | None
    edges: Float[np.ndarray, "edges"]
    share: Float[np.ndarray, "bins"]


@dataclass(frozen=True)
class SharesPanel:
    """One model's confidence; `threshold`, in [0, 1], is where it begins to answer, if it does."""

    title: str
    sides: Sequence[ConfidenceShares]
    threshold: float | None


@styled
def confidence_shares_figure(panels: Sequence[SharesPanel]) -> Figure:
    """Draw one panel a model on shared axes, known cases as an area and the others as outlines."""
    figure = Figure(figsize=(max(5.4, 3.6 * len(panels)), 3.4), layout="constrained")
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(every, panels, strict=True):
        for side in panel.sides:
            heights, edges = 100 * side.share, 100 * side.edges
            if side.series is None:
                axes.stairs(heights, edges, fill=True, color=MUTED, alpha=0.38, label=side.label)
                continue
            style = look(side.series)
            axes.stairs(heights, edges, color=style.colour, linestyle=style.dash, linewidth=1.8,
                        label=side.label)  # fmt: skip
        if panel.threshold is not None:
            axes.axvline(100 * panel.threshold, color=INK, linestyle=(0, (2, 2)), linewidth=1.1,
                         label="answered from here on")  # fmt: skip
        axes.set_title(panel.title)
        axes.set_ylim(bottom=0)
        percent_axis(axes, "x", "confidence, %")
    every[0].set_ylabel("share of the cases, %")
    every[0].yaxis.set_major_formatter("{x:g}%")
    entries = {
        name: handle
        for axes in every
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=2)
    return figure
