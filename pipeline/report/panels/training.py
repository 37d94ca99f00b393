"""Panel of the training curves."""

from __future__ import annotations

from pipeline.figures import training_figure
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.tables.history import CURVES, shown_history
from pipeline.tables.parts.scores import Scores


def training_panel(scores: Scores) -> Panel | None:
    """Return the training curves of the quantities that the history holds."""
    history = scores.frame("history")
    quantities = {name: label for name, label in CURVES.items() if name in history.columns}
    if not quantities or history["epoch"].isna().all():
        return None
    figure = training_figure(history, losses=shown_losses(scores), quantities=quantities)
    sentence = (
        f"{scores.averaged('; bands from the lowest to the highest').capitalize()}. "
        "Training losses of different kinds have different scales."
    )
    table = shown_history(scores, quantities)
    return make_panel(scores, "training", "Training", sentence, figure, table=table, wide=True)
