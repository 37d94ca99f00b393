"""Panel of risk as a mean cost, by the share answered."""

from __future__ import annotations

from pipeline.figures import risk_coverage_figure
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.report.panels.selective import FEWEST_ANSWERED
from pipeline.tables.cost_coverage import shown_cost_coverage
from pipeline.tables.cost_points import cost_sentence, stated_costs
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.wording import counted, percent


def cost_coverage_panel(scores: Scores) -> Panel | None:
    """Return the losses' mean cost by coverage; None where no costs are stated."""
    num_test, headline = scores.num_test_cases, scores.headline
    rows = pick(scores.frame("cost_coverage"), calibrator=headline["calibrator"])
    if rows.empty or scores.frame("cost_points").empty or num_test < FEWEST_ANSWERED:
        return None
    figure = risk_coverage_figure(
        rows[rows["coverage"] * num_test >= FEWEST_ANSWERED],
        losses=shown_losses(scores),
        target=scores.record["headline_target"],
        unit=counted(num_test, "cases"),
        risk="mean cost of the answered,\n% of the largest cost",
    )
    everything = pick(rows, loss=headline["loss"])["risk_mean"].iloc[-1]
    sentence = (
        f"{stated_costs(scores)}. Answering everything, {scores.loss} costs "
        f"{percent(everything, 2)} of the largest a case, after {scores.calibrator}; "
        f"{scores.averaged(', band of one standard deviation')}. "
        f"{cost_sentence(scores)}"
    )
    table = shown_cost_coverage(scores, rows)
    return make_panel(scores, "cost_coverage", "Risk as a mean cost", sentence, figure, table=table)
