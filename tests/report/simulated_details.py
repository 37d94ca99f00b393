"""What `evaluate` writes of classes, groups, sets and costs, from simulated outcomes as runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from pipeline.artifacts import Predictions
from pipeline.calibrators import fit_calibrator
from pipeline.tables.class_risk import class_risk_table
from pipeline.tables.cost_points import cost_points_table
from pipeline.tables.cost_selection import cost_selection_table
from pipeline.tables.cox import cox_table
from pipeline.tables.group_curves import group_curves_table
from pipeline.tables.group_scores import group_scores_table
from pipeline.tables.long_tail_curves import long_tail_curves_table
from pipeline.tables.net_benefit import net_benefit_table
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.parts.stated_costs import cost_matrix, scaled_costs
from pipeline.tables.prediction_sets import prediction_sets_table
from pipeline.tables.risk_coverage import risk_coverage_table
from tests.report.simulated_extras import groups_of
from tests.report.simulated_outcomes import CALIBRATORS, Outcome, Scenario

COSTS = {"malignant": {"normal": 20.0, "benign": 10.0}}
BOOTSTRAP = {"num_resamples": 20, "seed": 0}


def detail_tables(
    scenario: Scenario, threshold: Sequence[Outcome], test: Sequence[Outcome], points: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Classes have 400, 80 and 10 training cases: many, some and few."""
    runs, classes = _runs(threshold, test), list(scenario.classes)
    shown, both = next(run for run in runs if run.loss == "gce"), ["identity", "ats"]
    own = points[
        (points["loss"] == "gce")
        & (points["seed"] == shown.seed)
        & points["calibrator"].isin(both)
        & (points["target"] == 0.05)
    ]
    benefit = net_benefit_table(shown, own, classes, scenario.critical, **BOOTSTRAP)
    training = dict(zip(classes, (400, 80, 10), strict=True))
    costs = cost_matrix(COSTS, classes)
    return {
        "class_risk": class_risk_table(shown, both, classes),
        "cox": cox_table(runs, classes),
        "group_curves": group_curves_table(shown, "ats"),
        "group_scores": group_scores_table(shown, ["ats"], classes, **BOOTSTRAP),
        "long_tail_curves": long_tail_curves_table(runs, both, classes, training),
        "prediction_sets": prediction_sets_table(shown, both, classes),
        "referral_benefit": benefit[benefit["policy"] != "model"],
        "cost_selection": cost_selection_table(runs, costs),
        "cost_coverage": risk_coverage_table(runs, partial(scaled_costs, costs=costs)),
        "cost_points": cost_points_table(runs, costs, targets=(0.02, 0.05), delta=0.05),
    }


def _runs(threshold: Sequence[Outcome], test: Sequence[Outcome]) -> list[Run]:
    """Return every loss and seed; outcomes of one run stand together, one a calibrator."""
    runs = []
    for place in range(0, len(test), len(CALIBRATORS)):
        first = test[place]
        identity = fit_calibrator("identity", first.raw, first.labels)
        halves = [
            _applied(outcomes[place : place + len(CALIBRATORS)]) for outcomes in (test, threshold)
        ]
        runs.append(Run(first.loss, first.seed, *halves, dict.fromkeys(CALIBRATORS, identity)))
    return runs


def _applied(outcomes: Sequence[Outcome]) -> Applied:
    number = len(outcomes[0].labels)
    predictions = Predictions(
        logits=outcomes[0].raw,
        labels=outcomes[0].labels,
        cases=np.array([f"case-{i}" for i in range(number)]),
        patients=np.arange(number),
        groups=pd.DataFrame(groups_of(number)),
    )
    return Applied(predictions, {each.calibrator: each.log_p for each in outcomes})
