"""Panel of cases out of scope: how sure the model is of what it was never trained on."""

from __future__ import annotations

from pipeline.figures import confidence_figure
from pipeline.report.panels.panel import Panel, make_panel
from pipeline.tables.ood import shown_ood
from pipeline.tables.ood_answered import answered_sentence
from pipeline.tables.parts.scores import Scores, pick


def ood_panel(scores: Scores) -> Panel | None:
    """Return confidence on own and on foreign cases; None without partners out of scope."""
    rows = scores.frame("ood_confidence")
    if rows.empty or scores.frame("ood_answered").empty:
        return None
    points = scores.shown("operating_points", every=["calibrator"])
    thresholds = {
        calibrator: float(pick(points, calibrator=calibrator)["threshold"].iloc[0])
        for calibrator in scores.before_and_after
        if calibrator in set(rows["calibrator"])
    }
    headline = scores.headline
    sentence = (
        f"{answered_sentence(scores)} Confidence of "
        f"{scores.loss}, seed {headline['seed']}; grey: its own test cases."
    )
    figure = confidence_figure(rows, thresholds)
    table = None if scores.frame("ood").empty else shown_ood(scores)
    return make_panel(
        scores, "ood", "Images out of scope", sentence, figure, table=table, wide=True
    )
