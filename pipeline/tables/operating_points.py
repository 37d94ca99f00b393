"""The threshold each run may be trusted at, and what it does to the test patients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.guarantee import choose_threshold
from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.patient_units import PatientUnits
from pipeline.metrics.risk_tests import binomial_upper_limit
from pipeline.metrics.threshold_choice import ThresholdChoice, minimum_answered
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, TARGET, count, number, share, text
from pipeline.tables.parts.point_columns import POINT_COLUMNS
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.sentences import OperatingPoint, operating_point, verdict
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import counted, share_of

ONE_SIDED_DELTA = 0.05
"""Level of the one-sided limit that the test set alone gives."""


def operating_points_table(
    runs: Sequence[Run], *, targets: Sequence[float], delta: float
) -> pd.DataFrame:
    """Return one row a loss, seed, calibrator and target.

    The unit is the patient: answered if all of their cases are, wrong if any of these is. The
    threshold comes from the threshold split by fixed-sequence testing; without such a split the
    status is ``too_few``. Counts and exact intervals are of the test patients; without a threshold
    every patient is referred.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        for calibrator in run.calibrators:
            key = {"loss": run.loss, "seed": run.seed, "calibrator": calibrator}
            units = run.test.units(calibrator)
            rows += [
                key | _found(choice) | _tested(choice, units)
                for choice in _choices(run, calibrator, targets=targets, delta=delta)
            ]
    # Without any threshold the column would hold None, which compares with nothing.
    return pd.DataFrame(rows).astype({"threshold": float})


def _choices(
    run: Run, calibrator: str, *, targets: Sequence[float], delta: float
) -> Iterator[ThresholdChoice]:
    for target in targets:
        if run.threshold is None:
            yield _no_cases(target, delta)
        else:
            units = run.threshold.units(calibrator)
            yield choose_threshold(units.confidence, units.losses, target=target, delta=delta)


def _no_cases(target: float, delta: float) -> ThresholdChoice:
    return ThresholdChoice(
        status="too_few",
        chosen=None,
        best=None,
        num_candidates=0,
        num_cases=0,
        minimum_answered=minimum_answered(target, delta),
        target=target,
        delta=delta,
    )


def _found(choice: ThresholdChoice) -> dict[str, Any]:
    best = choice.best
    return {
        "target": choice.target,
        "delta": choice.delta,
        "status": choice.status,
        "threshold": choice.threshold,
        "num_threshold_patients": choice.num_cases,
        "minimum_answered": choice.minimum_answered,
        "lowest_upper_limit": best.upper_limit if best else None,
        "lowest_limit_wrong": int(best.wrong) if best else None,
        "lowest_limit_answered": best.answered if best else None,
        "num_candidates": choice.num_candidates,
    }


def _tested(choice: ThresholdChoice, units: PatientUnits) -> dict[str, Any]:
    threshold = np.inf if choice.threshold is None else choice.threshold
    accepted = units.confidence >= threshold
    answered, wrong = int(accepted.sum()), int(units.losses[accepted].sum())
    counts: dict[str, Any] = {
        "num_test": len(units.losses),
        "answered": answered,
        "referred": len(units.losses) - answered,
        "wrong": wrong,
    }
    rates = ("risk", "risk_lower", "risk_upper", "one_sided_upper")
    if answered == 0:
        return counts | dict.fromkeys(rates)
    interval = proportion_interval(wrong, answered)
    upper = binomial_upper_limit(np.array([wrong]), np.array([answered]), ONE_SIDED_DELTA)
    values = (wrong / answered, interval.lower, interval.upper, float(upper[0]))
    return counts | dict(zip(rates, values, strict=True))


def shown_operating_points(
    scores: Scores, targets: Sequence[float], *, name: str = "operating_points"
) -> Table:
    """Return the headline pair's operating points: one row a target and seed."""
    frame = scores.shown("operating_points", every=["seed", "target"])
    frame = frame[frame["target"].isin(list(targets))].sort_values(["target", "seed"])
    points = [operating_point(row, scores.unit) for _, row in frame.iterrows()]
    return rendered(
        name,
        f"Operating points of {scores.method}, every seed: "
        f"{_searched(points[0])}, counts of {counted(points[0].num_test, f'test {scores.unit}')}, "
        "exact 95% intervals.",
        [
            TARGET,
            SEED,
            *POINT_COLUMNS,
            share("risk", "Wrong among answered", write=_wrong),
            number("per_thousand", "Wrong", unit="per 1,000 arriving", write=_per_thousand),
        ],
        frame.assign(words=[verdict(point)[1] for point in points]),
        behind=frame,
        marked=scores.is_shown,
    )


def _wrong(row: Mapping[str, Any]) -> str:
    return share_of(row["wrong"], row["answered"])


def _per_thousand(row: Mapping[str, Any]) -> str:
    wrong = 1000 * row["wrong"] / row["num_test"]
    return f"{wrong:.1f}" if row["status"] == "found" else "0"


def _searched(point: OperatingPoint) -> str:
    if not point.num_threshold_patients:
        return "no threshold was searched, because no separate cases were given"
    return f"thresholds from {counted(point.num_threshold_patients, f'separate {point.unit}')}"


OPERATING_POINTS = TableSpec(
    name="operating_points",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        TARGET,
        share("delta"),
        text("status"),
        share("threshold"),
        count("num_threshold_patients"),
        count("minimum_answered"),
        share("lowest_upper_limit"),
        count("lowest_limit_wrong"),
        count("lowest_limit_answered"),
        count("num_candidates"),
        count("num_test"),
        count("answered"),
        count("referred"),
        count("wrong"),
        share("risk"),
        share("risk_lower"),
        share("risk_upper"),
        share("one_sided_upper"),
    ),
    compute=lambda experiment: operating_points_table(
        experiment.runs, targets=experiment.row.risk_targets, delta=experiment.row.delta
    ),
    required=True,
    section="answered",
    show=lambda scores: [shown_operating_points(scores, scores.record["risk_targets"])],
)
