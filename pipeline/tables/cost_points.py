"""The threshold that keeps the mean cost of what is answered within each target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.decisions import Costs
from pipeline.metrics.guarantee import choose_threshold
from pipeline.metrics.patient_units import PatientUnits, whole_patients
from pipeline.metrics.risk_tests import hoeffding_bentkus_upper_limit
from pipeline.metrics.threshold_choice import ThresholdChoice, minimum_answered
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, TARGET, count, number, share, text
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.stated_costs import costs_are_stated, scaled_costs

TEST = "hoeffding_bentkus"
"""The p-value of any loss in [0, 1]; the exact binomial one holds for 0 and 1 alone."""


def cost_points_table(
    runs: Sequence[Run], costs: Costs, *, targets: Sequence[float], delta: float
) -> pd.DataFrame:
    """Return the threshold that keeps the mean cost of what is answered within each target.

    The unit is the patient: answered if all of their cases are, at the largest cost of these. The
    threshold comes from the threshold split by fixed-sequence testing with the p-value of
    Hoeffding and Bentkus, which holds for any loss in [0, 1].

    Columns loss, seed, calibrator, target (share of the largest cost), delta, test, status (found,
    none, too_few), threshold, num_threshold_patients, minimum_answered, lowest_upper_limit,
    num_candidates, largest_cost, num_test, answered, referred, mean_cost (of the answered test
    patients, as a share of the largest), one_sided_upper (its limit at 1 - delta).
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        for calibrator in run.calibrators:
            tested = _units(run.test, calibrator, costs)
            held_out = None if run.threshold is None else _units(run.threshold, calibrator, costs)
            key = {"loss": run.loss, "seed": run.seed, "calibrator": calibrator}
            for target in targets:
                found = _choice(held_out, target, delta)
                asked = {"target": target, "delta": delta, "test": TEST}
                at_test = _tested(tested, found["threshold"], delta)
                rows.append(key | asked | found | {"largest_cost": costs.max()} | at_test)
    # Without any threshold the column would hold None, which compares with nothing.
    return pd.DataFrame(rows).astype({"threshold": float})


def _units(applied: Applied, calibrator: str, costs: Costs) -> PatientUnits:
    losses = scaled_costs(applied, calibrator, costs)
    return whole_patients(applied.top(calibrator).confidence, losses, applied.predictions.patients)


def _choice(units: PatientUnits | None, target: float, delta: float) -> dict[str, Any]:
    choice: ThresholdChoice | None = None
    if units is not None:
        choice = choose_threshold(
            units.confidence, units.losses, target=target, delta=delta, test=TEST
        )
    return {
        "status": choice.status if choice else "too_few",
        "threshold": choice.threshold if choice else None,
        "num_threshold_patients": choice.num_cases if choice else 0,
        "minimum_answered": choice.minimum_answered if choice else minimum_answered(target, delta),
        "lowest_upper_limit": choice.best.upper_limit if choice and choice.best else None,
        "num_candidates": choice.num_candidates if choice else 0,
    }


def _tested(units: PatientUnits, threshold: float | None, delta: float) -> dict[str, Any]:
    answered = units.confidence >= (np.inf if threshold is None else threshold)
    num_answered, summed = int(answered.sum()), float(units.losses[answered].sum())
    limit = hoeffding_bentkus_upper_limit(
        np.array([summed]), np.array([max(num_answered, 1)]), delta
    )
    return {
        "num_test": len(answered),
        "answered": num_answered,
        "referred": len(answered) - num_answered,
        "mean_cost": summed / num_answered if num_answered else None,
        "one_sided_upper": float(limit[0]) if num_answered else None,
    }


COST_POINTS = TableSpec(
    name="cost_points",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        TARGET,
        share("delta"),
        text("test"),
        text("status"),
        share("threshold"),
        count("num_threshold_patients"),
        count("minimum_answered"),
        share("lowest_upper_limit"),
        count("num_candidates"),
        number("largest_cost"),
        count("num_test"),
        count("answered"),
        count("referred"),
        share("mean_cost"),
        share("one_sided_upper"),
    ),
    compute=lambda experiment: cost_points_table(
        experiment.runs,
        experiment.costs,
        targets=experiment.row.risk_targets,
        delta=experiment.row.delta,
    ),
    when=costs_are_stated,
)
