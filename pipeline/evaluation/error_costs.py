"""Risk as a mean cost: what an answer costs depends on the true class and on what was answered.

Costs are divided by the largest, so that a risk lies in [0, 1] and a target of 5 % is a mean cost
of a twentieth of the worst error. Areas, points, curves and operating points are those of errors
that all cost the same, with another loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.evaluation.curves import risk_coverage_table
from pipeline.evaluation.run import Applied, Run
from pipeline.evaluation.selection import POINTS, selection_scores
from pipeline.metrics.decisions import Costs, case_costs
from pipeline.metrics.guarantee import choose_threshold
from pipeline.metrics.patient_units import PatientUnits, whole_patients
from pipeline.metrics.risk_tests import hoeffding_bentkus_upper_limit
from pipeline.metrics.selective import selective_summary
from pipeline.metrics.threshold_choice import ThresholdChoice, minimum_answered

StatedCosts = Mapping[str, Mapping[str, float]]
"""By true class, by the class answered; what is left out costs 1, and a right answer nothing."""

TEST = "hoeffding_bentkus"
"""The p-value of any loss in [0, 1]; the exact binomial one holds for 0 and 1 alone."""


def cost_matrix(stated: StatedCosts, classes: Sequence[str]) -> Costs:
    """Return the costs in the order of the classes: of the row's class read as the column's.

    Raises
    ------
    InputError
        If a class is none of these, a right answer has a cost, or no error has one.

    Examples
    --------
    >>> cost_matrix({"ill": {"well": 20}}, ["well", "ill"])
    array([[ 0.,  1.],
           [20.,  0.]])
    """
    named = set(stated).union(*stated.values())
    if strangers := sorted(named - set(classes)):
        message = f"costs must be of the classes {', '.join(classes)}, got {', '.join(strangers)}"
        raise InputError(message)
    costs = 1.0 - np.eye(len(classes))
    for true, row in stated.items():
        for answered, cost in row.items():
            costs[classes.index(true), classes.index(answered)] = cost
    if np.diagonal(costs).any():
        message = "a right answer costs nothing, so no class may have a cost when read as itself"
        raise InputError(message)
    if not (np.isfinite(costs).all() and costs.min() >= 0 and costs.max() > 0):
        message = f"costs must be finite, at least 0 and not all 0, got {costs.tolist()}"
        raise InputError(message)
    return costs


def cost_tables(
    runs: Sequence[Run],
    stated: StatedCosts,
    classes: Sequence[str],
    *,
    targets: Sequence[float],
    delta: float,
) -> dict[str, pd.DataFrame]:
    """Return every table in which an error costs what was stated, by name."""
    costs = cost_matrix(stated, classes)
    return {
        "cost_selection": cost_selection_table(runs, costs),
        "cost_coverage": risk_coverage_table(runs, partial(scaled_costs, costs=costs)),
        "cost_points": cost_points_table(runs, costs, targets=targets, delta=delta),
    }


def cost_selection_table(runs: Sequence[Run], costs: Costs) -> pd.DataFrame:
    """Return how well each score keeps costly errors from being answered.

    Columns loss, seed, calibrator, score, largest_cost, mean_cost (everything answered), then aurc,
    e_aurc, augrc, coverage_at_risk_* and risk_at_coverage_*, of cases; all but largest_cost as
    shares of it.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        for calibrator in run.test.log_probabilities:
            losses = scaled_costs(run.test, calibrator, costs)
            key = {"loss": run.loss, "seed": run.seed, "calibrator": calibrator}
            of_all = {"largest_cost": costs.max(), "mean_cost": losses.mean()}
            rows += [
                key | {"score": name} | of_all | selective_summary(values, losses, **POINTS)
                for name, values in selection_scores(run.test, calibrator)
            ]
    return pd.DataFrame(rows)


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


def scaled_costs(applied: Applied, calibrator: str, costs: Costs) -> Float[np.ndarray, "cases"]:
    """Return what answering each case costs, as a share of the largest cost."""
    predicted = applied.top(calibrator).predicted
    return case_costs(predicted, applied.predictions.labels, costs / costs.max())


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
