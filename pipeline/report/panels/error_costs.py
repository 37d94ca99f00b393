"""Panel of risk as a mean cost, by the share answered."""

from __future__ import annotations

from dataclasses import replace

from pipeline.plots import RiskCurve, risk_coverage_figure
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.report.panels.selective import FEWEST_ANSWERED
from pipeline.tables.cost_coverage import shown_cost_coverage
from pipeline.tables.cost_points import cost_sentence, stated_costs
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.wording import counted, percent


def cost_coverage_panel(scores: Scores) -> Panel | None:
    """Return the losses' mean cost by coverage; None where no costs are stated."""
    num_test = scores.num_test_cases
    if (
        scores.frame("cost_coverage").empty
        or scores.frame("cost_points").empty
        or num_test < FEWEST_ANSWERED
    ):
        return None
    calibrator = scores.record["headline_calibrator"]
    rows = pick(scores.frame("cost_coverage"), calibrator=calibrator)
    drawn = rows[rows["coverage"] * num_test >= FEWEST_ANSWERED]
    curves = [
        RiskCurve(
            loss,
            series,
            *(
                pick(drawn, loss=loss)[name].to_numpy(float)
                for name in ("coverage", "risk_mean", "risk_sd")
            ),
        )
        for series, loss in enumerate(shown_losses(scores))
    ]
    figure = risk_coverage_figure(
        curves,
        target=scores.record["headline_target"],
        unit=counted(num_test, "cases"),
        risk="mean cost of the answered,\n% of the largest cost",
    )
    everything = curves[0].risk[-1]
    sentence = (
        f"{stated_costs(scores)}. Answering everything, {curves[0].label} costs "
        f"{percent(everything, 2)} of the largest a case, after {calibrator}; "
        f"{scores.averaged(', band of one standard deviation')}. "
        f"{cost_sentence(scores)}"
    )
    panel = make_panel(scores, "cost_coverage", "Risk as a mean cost", sentence, figure)
    return replace(panel, table=shown_cost_coverage(scores, rows))
