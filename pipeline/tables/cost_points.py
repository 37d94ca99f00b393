"""The threshold that keeps the mean cost of what is answered within each target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.case_costs import Costs
from pipeline.metrics.guarantee import choose_threshold
from pipeline.metrics.patient_units import PatientUnits, whole_patients
from pipeline.metrics.risk_tests import hoeffding_bentkus_upper_limit
from pipeline.metrics.threshold_choice import ThresholdChoice, minimum_answered
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, TARGET, count, number, share, text
from pipeline.tables.parts.point_columns import POINT_COLUMNS
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.sentences import NOT_SEARCHED, none_passed, too_few
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.stated_costs import costs_are_stated, scaled_costs
from pipeline.tables.parts.wording import counted, missing, percent, target_text

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


VERDICTS = {"found": "Threshold found", "none": "No threshold", "too_few": "Too few cases to tell"}


def stated_costs(scores: Scores) -> str:
    """Say what errors cost, as the study states it."""
    words = [
        f"{true} read as {answered} {cost:g}"
        for true, row in scores.record["costs"].items()
        for answered, cost in row.items()
    ]
    return f"An error costs what was stated ({', '.join(words)}; any other 1)"


def shown_cost_points(scores: Scores) -> Table:
    """Return the thresholds that keep the mean cost within each target."""
    frame = scores.shown("cost_points", every=["seed", "target"])
    frame = frame.sort_values(["target", "seed"], kind="stable")
    first = frame.iloc[0]
    return rendered(
        "cost_points",
        f"{stated_costs(scores)}; risk is the mean cost of the answered as a share of the "
        f"largest, {first['largest_cost']:g}. {cost_sentence(scores)} "
        f"{_rule(scores, first)}Counts of "
        f"{counted(first['num_test'], f'test {scores.unit}')}.",
        [
            TARGET.shown_as("Target", unit="of the largest cost"),
            SEED,
            *POINT_COLUMNS,
            share("mean_cost", "Mean cost", unit="of the answered", digits=2, write=_mean_cost),
        ],
        frame.assign(words=frame["status"].map(VERDICTS)),
        behind=frame,
        marked=scores.is_shown,
    )


def _rule(scores: Scores, first: pd.Series) -> str:
    """Say how thresholds were chosen; nothing where there was nothing to choose on."""
    if not first["num_threshold_patients"]:
        return ""
    there = counted(first["num_threshold_patients"], f"separate {scores.unit}")
    return (
        f"Thresholds of {scores.method} from {there}, by fixed-sequence "
        f"testing with the p-value of Hoeffding and Bentkus: at most {target_text(first['delta'])} "
        "of such thresholds have a true mean cost above their target. "
    )


def cost_sentence(scores: Scores) -> str:
    """Say what the first screen's model may answer within the headline's target of cost."""
    target = scores.record["headline_target"]
    row = scores.shown("cost_points").iloc[0]
    if not row["num_threshold_patients"]:
        return NOT_SEARCHED
    if row["status"] == "too_few":
        needed, there = row["minimum_answered"], row["num_threshold_patients"]
        return too_few("no costs", needed, there, scores.unit)
    if row["status"] == "none":
        tried = none_passed(row["num_candidates"], row["minimum_answered"], scores.unit, target)
        return f"{tried}: the lowest upper limit was {percent(row['lowest_upper_limit'])}."
    answered = (
        f"At {target_text(target)}, {row['answered']:,} of "
        f"{counted(row['num_test'], f'test {scores.unit}')} "
        f"({percent(row['answered'] / row['num_test'])}) {'is' if row['answered'] == 1 else 'are'} "
        "answered"
    )
    if missing(row["mean_cost"]):
        return f"{answered}."
    return (
        f"{answered}, at a mean cost of {percent(row['mean_cost'], 2)} (one-sided "
        f"{target_text(1 - row['delta'])} limit {percent(row['one_sided_upper'], 2)})."
    )


def _mean_cost(row: Mapping[str, Any]) -> Cell:
    return Cell(percent(row["mean_cost"], 2), f"at most {percent(row['one_sided_upper'], 2)}")


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
    section="decisions",
    show=lambda scores: [shown_cost_points(scores)],
)
