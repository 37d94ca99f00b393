"""The threshold each run may be trusted at, and what it does to the test patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.run import Applied, Run
from pipeline.metrics.guarantee import choose_threshold
from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.patient_units import PatientUnits, whole_patients
from pipeline.metrics.risk_tests import binomial_upper_limit
from pipeline.metrics.threshold_choice import ThresholdChoice, minimum_answered
from pipeline.metrics.top_label import TopLabel, top_label

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
            units = _units(run.test, calibrator)
            rows += [
                key | _found(choice) | _tested(choice, units)
                for choice in _choices(run, calibrator, targets=targets, delta=delta)
            ]
    return pd.DataFrame(rows)


def per_class_table(
    runs: Sequence[Run], classes: Sequence[str], operating_points: pd.DataFrame
) -> pd.DataFrame:
    """Return, for every row of the `operating_points_table`, one row a class.

    ``cases`` counts test patients with an image of the class, ``answered`` those of them who are
    answered, ``wrong`` those answered with an image of that class read wrongly, ``referred`` the
    rest.
    """
    tests = {(run.loss, run.seed): run.test for run in runs}
    rows: list[dict[str, Any]] = []
    for point in operating_points.to_dict("records"):
        test = tests[point["loss"], point["seed"]]
        key = {name: point[name] for name in ("loss", "seed", "calibrator", "target")}
        top = _top(test, point["calibrator"])
        rows += [key | counts for counts in _by_class(test, top, point["threshold"], classes)]
    return pd.DataFrame(rows)


def _choices(
    run: Run, calibrator: str, *, targets: Sequence[float], delta: float
) -> Iterator[ThresholdChoice]:
    for target in targets:
        if run.threshold is None:
            yield _no_cases(target, delta)
        else:
            units = _units(run.threshold, calibrator)
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
        rule="fixed_sequence",
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


def _by_class(
    test: Applied, top: TopLabel, threshold: float | None, classes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    _, patient = np.unique(test.predictions.patients, return_inverse=True)
    lowest = np.full(patient.max() + 1, np.inf)
    np.minimum.at(lowest, patient, top.confidence)
    answered = lowest >= (np.inf if threshold is None or np.isnan(threshold) else threshold)
    for label, name in enumerate(classes):
        is_class = test.predictions.labels == label
        present = np.unique(patient[is_class])
        missed = np.unique(patient[is_class & ~np.asarray(top.correct, dtype=bool)])
        num_answered = int(answered[present].sum())
        yield {
            "class": name,
            "cases": len(present),
            "answered": num_answered,
            "wrong": int(answered[missed].sum()),
            "referred": len(present) - num_answered,
        }


def _units(applied: Applied, calibrator: str) -> PatientUnits:
    top = _top(applied, calibrator)
    losses = 1 - np.asarray(top.correct, dtype=int)
    return whole_patients(top.confidence, losses, applied.predictions.patients)


def _top(applied: Applied, calibrator: str) -> TopLabel:
    return top_label(applied.log_probabilities[calibrator], applied.predictions.labels)
