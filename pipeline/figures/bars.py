"""Bars side by side: a few losses in a few groups of classes, with the spread over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures.style import INK, PAPER, legend_beneath, look, styled
from pipeline.method_names import titled

HATCHES = ("", "////", "\\\\\\\\", "xxxx", "----", "||||")
"""Of lines alone: a pattern of dots takes a page as much as all its tables."""


@styled
def bars_figure(
    rows: pd.DataFrame, *, losses: Sequence[str], quantities: Mapping[str, str]
) -> Figure:
    """Draw one panel a quantity, in percent from 0; losses differ in colour and hatching.

    Parameters
    ----------
    rows : DataFrame
        Of ``long_tail``, one a loss, seed and group: means are drawn with a standard deviation.
    losses : sequence of str
    quantities : mapping of str to str
        The columns to draw, each with its axis label.
    """
    cases = rows.groupby("group", sort=False)["cases"].first()
    spread = rows.groupby(["loss", "group"])[list(quantities)].agg(["mean", "std"])
    figure = Figure(figsize=(4.4 * len(quantities), 3.4), layout="constrained")
    width = 0.8 / len(losses)
    every = figure.subplots(1, len(quantities), squeeze=False)[0]
    for axes, (quantity, label) in zip(every, quantities.items(), strict=True):
        for number, loss in enumerate(losses):
            drawn = 100 * spread.loc[loss].loc[cases.index, quantity]
            middle = np.arange(len(cases)) + (number - (len(losses) - 1) / 2) * width
            axes.bar(
                middle, drawn["mean"], 0.92 * width, yerr=drawn["std"].fillna(0.0),
                label=titled(loss), color=look(number).colour,
                hatch=HATCHES[number % len(HATCHES)], edgecolor=PAPER,
                ecolor=INK, error_kw={"lw": 1.0},
            )  # fmt: skip
        axes.set_xticks(np.arange(len(cases)), [_name(*each) for each in cases.items()])
        axes.grid(visible=False, axis="x")
        axes.set_ylim(bottom=0)
        axes.set_ylabel(label)
        axes.yaxis.set_major_formatter("{x:g}%")
    legend_beneath(figure)
    return figure


def _name(group: object, cases: float) -> str:
    return f"{group}\n({'masked' if pd.isna(cases) else f'n = {cases:,.0f}'})"
