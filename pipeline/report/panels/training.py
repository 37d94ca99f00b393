"""Panel of the training curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.plots import TrainingCurve, training_figure
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.report.scores import Scores, pick

LABELS = {
    "train_loss": "training loss",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
}


def training_panel(scores: Scores) -> Panel | None:
    """Return the training curves of the quantities that the history holds."""
    columns = [name for name in LABELS if name in scores.history.columns]
    if not columns or scores.history["epoch"].isna().all():
        return None
    losses = shown_losses(scores)
    panels: list[tuple[str, Sequence[TrainingCurve]]] = []
    for column in columns:
        curves = [
            _training_curve(scores, loss, series, column) for series, loss in enumerate(losses)
        ]
        panels.append((LABELS[column], curves))
    sentence = (
        f"Mean over {scores.seeds_text}; bands from the lowest to the highest. "
        "Training losses of different kinds have different scales."
    )
    figure = training_figure(panels)
    return replace(make_panel(scores, "training", "Training", sentence, figure), wide=True)


def _training_curve(scores: Scores, loss: str, series: int, column: str) -> TrainingCurve:
    by_epoch = pick(scores.history, loss=loss).groupby("epoch")[column]
    table = by_epoch.agg(["mean", "min", "max"]).reset_index()
    arrays = (table[key].to_numpy(np.float64) for key in ("epoch", "mean", "min", "max"))
    return TrainingCurve(loss, series, *arrays)
