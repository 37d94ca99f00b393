"""Training histories of all runs below one another."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.tables.parts.column import LOSS, SEED, count, number
from pipeline.tables.parts.over_seeds import over_seeds
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec

CURVES = {
    "train_loss": "training loss",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
}
"""Columns that are drawn, as far as somebody recorded them."""


def shown_history(scores: Scores, curves: Iterable[str]) -> Table:
    """Return where training ended, one row a loss; the frame behind holds every epoch."""
    history = scores.frame("history")
    last = history[history["epoch"] == history.groupby("loss")["epoch"].transform("max")]
    return rendered(
        "training",
        f"Where training ended: {scores.averaged()}. The CSV holds every epoch.",
        [
            LOSS,
            count("epoch", "Last epoch"),
            *(number(name, CURVES[name].capitalize(), digits=3) for name in curves),
        ],
        over_seeds(last, ["loss"], list(curves)),
        behind=history,
    )


HISTORY = TableSpec(
    name="history",
    columns=(LOSS, SEED, count("epoch", key=True)),
    compute=lambda experiment: experiment.history,
    metrics=True,
    required=True,
    may_be_empty=True,
)
