"""Panel of the training curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.plots import TrainingCurve, training_figure
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Heading, Table

LABELS = {
    "train_loss": "training loss",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
}


def training_panel(scores: Scores) -> Panel | None:
    """Return the training curves of the quantities that the history holds."""
    columns = [name for name in LABELS if name in scores.frame("history").columns]
    if not columns or scores.frame("history")["epoch"].isna().all():
        return None
    losses = shown_losses(scores)
    panels: list[tuple[str, Sequence[TrainingCurve]]] = []
    for column in columns:
        curves = [
            _training_curve(scores, loss, series, column) for series, loss in enumerate(losses)
        ]
        panels.append((LABELS[column], curves))
    sentence = (
        f"{scores.averaged('; bands from the lowest to the highest').capitalize()}. "
        "Training losses of different kinds have different scales."
    )
    figure = training_figure(panels)
    panel = make_panel(scores, "training", "Training", sentence, figure)
    return replace(panel, table=_last_epochs_table(scores, columns), wide=True)


def _last_epochs_table(scores: Scores, columns: list[str]) -> Table:
    """Return where training ended, one row a loss; its frame holds every epoch."""
    cells = []
    for loss, rows in scores.frame("history").groupby("loss", sort=False):
        last = rows[rows["epoch"] == rows["epoch"].max()]
        means = (f"{last[column].mean():.3f}" for column in columns)
        cells.append((Cell(str(loss)), Cell(f"{last['epoch'].iloc[0]:.0f}"), *map(Cell, means)))
    return Table(
        name="training",
        caption=f"Where training ended: {scores.averaged()}. The CSV holds every epoch.",
        columns=(
            Heading("Loss", numeric=False),
            Heading("Last epoch"),
            *(Heading(LABELS[column].capitalize()) for column in columns),
        ),
        rows=tuple(cells),
        frame=scores.frame("history"),
    )


def _training_curve(scores: Scores, loss: str, series: int, column: str) -> TrainingCurve:
    by_epoch = pick(scores.frame("history"), loss=loss).groupby("epoch")[column]
    table = by_epoch.agg(["mean", "min", "max"]).reset_index()
    arrays = (table[key].to_numpy(np.float64) for key in ("epoch", "mean", "min", "max"))
    return TrainingCurve(loss, series, *arrays)
