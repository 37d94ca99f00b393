"""Training curves: what was learnt, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures.style import legend_beneath, look, shade, styled
from pipeline.method_names import titled


@styled
def training_figure(
    history: pd.DataFrame, *, losses: Sequence[str], quantities: Mapping[str, str]
) -> Figure:
    """Draw one panel a quantity: mean over seeds, and a band from the lowest to the highest seed.

    Parameters
    ----------
    history : DataFrame
        Of ``history``, one row a loss, seed and epoch.
    losses : sequence of str
    quantities : mapping of str to str
        The columns to draw against the epoch, each with its title.
    """
    figure = Figure(figsize=(3.6 * len(quantities), 3.0), layout="constrained")
    every = figure.subplots(1, len(quantities), squeeze=False)[0]
    for axes, (quantity, title) in zip(every, quantities.items(), strict=True):
        for number, loss in enumerate(losses):
            style, own = look(number), history[history["loss"] == loss]
            curve = own.groupby("epoch")[quantity].agg(["mean", "min", "max"])
            axes.plot(curve["mean"], color=style.colour, linestyle=style.dash, label=titled(loss))
            shade(axes, curve.index, (curve["min"], curve["max"]), style.colour)
        axes.set_xlabel("epoch")
        axes.set_title(title)
    legend_beneath(figure)
    return figure
