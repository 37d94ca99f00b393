"""Training curves: what was learnt, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from pipeline.plots.style import look, styled

Epochs = Float[np.ndarray, "epochs"]


@dataclass(frozen=True)
class TrainingCurve:
    """One loss's training, the mean over seeds with the lowest and highest seed."""

    label: str
    series: int
    epoch: Epochs
    mean: Epochs
    lowest: Epochs
    highest: Epochs


@styled
def training_figure(panels: Sequence[tuple[str, Sequence[TrainingCurve]]]) -> Figure:
    """Draw one panel a quantity: mean over seeds, and a band from the lowest to the highest seed.

    Parameters
    ----------
    panels : sequence of (axis label, curves)
        Drawn from left to right against the epoch.
    """
    figure = Figure(figsize=(3.6 * len(panels), 3.0), layout="constrained")
    for axes, (label, curves) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels,
                                     strict=True):  # fmt: skip
        for curve in curves:
            style = look(curve.series)
            axes.plot(
                curve.epoch, curve.mean, color=style.colour, linestyle=style.dash, label=curve.label
            )
            band = {"color": style.colour, "alpha": 0.14, "lw": 0}
            axes.fill_between(curve.epoch, curve.lowest, curve.highest, **band)
        axes.set_xlabel("epoch")
        axes.set_title(label)
    figure.axes[0].legend(loc="best")
    return figure
