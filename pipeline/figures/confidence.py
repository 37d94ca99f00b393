"""Confidence on a model's own test cases beside that on cases out of its scope."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures.style import (
    INK,
    MUTED,
    TITLE_CHARACTERS,
    legend_beneath,
    look,
    percent_axis,
    styled,
)
from pipeline.method_names import titled

KNOWN = "known"
"""The partner that is the model's own test split."""
WORDS = {"near_ood": "near", "far_ood": "far"}


@styled
def confidence_figure(rows: pd.DataFrame, thresholds: Mapping[str, float]) -> Figure:
    """Draw one panel a calibrator: known cases as a grey area and the others as outlines.

    Parameters
    ----------
    rows : DataFrame
        Of ``ood_confidence``, the known cases first.
    thresholds : mapping of str to float
        By calibrator, in the order of the panels, the confidence in [0, 1] from which on it
        answers; NaN where it answers nothing.
    """
    figure = Figure(figsize=(max(5.4, 3.6 * len(thresholds)), 3.4), layout="constrained")
    every = figure.subplots(1, len(thresholds), sharey=True, squeeze=False)[0]
    for axes, (calibrator, threshold) in zip(every, thresholds.items(), strict=True):
        of_panel = rows[rows["calibrator"] == calibrator]
        for number, (partner, part) in enumerate(of_panel.groupby("partner", sort=False)):
            _draw_shares(axes, str(partner), part, number - 1)
        if not np.isnan(threshold):
            axes.axvline(100 * threshold, color=INK, linestyle=(0, (2, 2)), linewidth=1.1,
                         label="answered from here on")  # fmt: skip
        axes.set_title(fill(titled(calibrator), TITLE_CHARACTERS))
        axes.set_ylim(bottom=0)
        percent_axis(axes, "x", "confidence, %")
    every[0].set_ylabel("share of the cases, %")
    every[0].yaxis.set_major_formatter("{x:g}%")
    legend_beneath(figure, columns=2)
    return figure


def _draw_shares(axes: Axes, partner: str, part: pd.DataFrame, series: int) -> None:
    heights, edges = 100 * part["share"], 100 * np.append(part["left"], part["right"].iloc[-1])
    total = f"n = {part['cases'].sum():,}"
    if partner == KNOWN:
        label = f"own test cases, {total}"
        axes.stairs(heights, edges, fill=True, color=MUTED, alpha=0.38, label=label)
        return
    style = look(series)
    label = f"{partner} ({WORDS[part['kind'].iloc[0]]}), {total}"
    axes.stairs(
        heights, edges, color=style.colour, linestyle=style.dash, linewidth=1.8, label=label
    )
