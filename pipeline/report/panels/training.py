"""Panel of the training curves."""

from __future__ import annotations

from pipeline.figures import training_figure
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Heading, Table

LABELS = {
    "train_loss": "training loss",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
}


def training_panel(scores: Scores) -> Panel | None:
    """Return the training curves of the quantities that the history holds."""
    history = scores.frame("history")
    quantities = {name: label for name, label in LABELS.items() if name in history.columns}
    if not quantities or history["epoch"].isna().all():
        return None
    figure = training_figure(history, losses=shown_losses(scores), quantities=quantities)
    sentence = (
        f"{scores.averaged('; bands from the lowest to the highest').capitalize()}. "
        "Training losses of different kinds have different scales."
    )
    table = _last_epochs_table(scores, list(quantities))
    return make_panel(scores, "training", "Training", sentence, figure, table=table, wide=True)


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
