"""Metrics: calibration, accuracy and selective prediction, from log-probabilities and labels.

Numpy float64 alone: no torch, no files, no figures. Each metric has one definition, which takes the
times each case counts as ``weights``; the bootstrap (`pipeline.metrics.bootstrap`) uses that same
definition. Beside it stands all that tables and pages must know of it, a `Metric`.

To add one: a module here with its function and its `Metric`, a line in `METRICS`, a test file.
"""

from __future__ import annotations

from collections.abc import Container

from pipeline.metrics.accuracy import ACCURACY, BALANCED_ACCURACY, MACRO_F1
from pipeline.metrics.auroc import AUROC
from pipeline.metrics.bins import NUM_BINS
from pipeline.metrics.brier import BRIER
from pipeline.metrics.calibrated_bins import ECE_IF_CALIBRATED
from pipeline.metrics.calibration_error import ADA_ECE, CLASSWISE_ECE, ECE, MCE
from pipeline.metrics.calibration_in_the_large import CALIBRATION_IN_THE_LARGE, CONFIDENCE_GAP
from pipeline.metrics.cases import Cases, prepare_cases
from pipeline.metrics.debiased import L2_CALIBRATION_ERROR_DEBIASED
from pipeline.metrics.ks import KS_CALIBRATION_ERROR
from pipeline.metrics.metric import KINDS, Kind, Metric, Place
from pipeline.metrics.nll import NLL
from pipeline.metrics.risk_points import (
    COVERAGES_AT_RISK,
    COVERAGES_PERCENT,
    RISK_TARGETS_PERCENT,
    RISKS_AT_COVERAGE,
)
from pipeline.metrics.selective import AUGRC, AURC, E_AURC, selective_summary
from pipeline.metrics.smooth_ece import SMOOTH_ECE
from pipeline.metrics.truth import TRUTH_ERROR
from pipeline.metrics.weighting import Estimates, Patients, Weights
from pipeline.shapes import Labels, LogProbabilities, Probabilities

__all__ = [
    "DERIVED",
    "KINDS",
    "METRICS",
    "NUM_BINS",
    "Cases",
    "Kind",
    "Metric",
    "Place",
    "described",
    "evaluate",
    "every_metric",
    "metrics_shown",
    "prepare_cases",
    "score",
    "score_cases",
    "score_derived",
]

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        ACCURACY,
        BALANCED_ACCURACY,
        MACRO_F1,
        AUROC,
        NLL,
        BRIER,
        ECE,
        ADA_ECE,
        CLASSWISE_ECE,
        MCE,
        SMOOTH_ECE,
        L2_CALIBRATION_ERROR_DEBIASED,
        KS_CALIBRATION_ERROR,
        CONFIDENCE_GAP,
        CALIBRATION_IN_THE_LARGE,
        AURC,
        E_AURC,
        AUGRC,
        *COVERAGES_AT_RISK,
        *RISKS_AT_COVERAGE,
    )
}
"""Every number of `score` by its name, in the order of tables."""

DERIVED: dict[str, Metric] = {metric.name: metric for metric in (ECE_IF_CALIBRATED, TRUTH_ERROR)}
"""What takes more than predictions and labels: who each case belongs to, or the truth."""


def described(name: str) -> Metric | None:
    """Return the metric of a name, of `METRICS` or `DERIVED`; None where there is none.

    >>> described("truth_error").label, described("mean_cost")
    ('Truth error', None)
    """
    return METRICS.get(name) or DERIVED.get(name)


def every_metric() -> dict[str, Metric]:
    """Return `METRICS`, then `DERIVED`."""
    return METRICS | DERIVED


def metrics_shown(place: Place, target: float | None = None) -> list[str]:
    """Return the names of the metrics shown in a place, in the order of tables.

    Of those about a share wrong, the one about that ``target``.

    >>> metrics_shown("selection", 0.05)
    ['aurc', 'augrc', 'coverage_at_risk_5']
    """
    return [
        name
        for name, metric in every_metric().items()
        if place in metric.shown and metric.target in (None, target)
    ]


def score(
    log_probabilities: LogProbabilities, labels: Labels, num_bins: int = NUM_BINS
) -> dict[str, float | None]:
    """Return every metric of `METRICS` for one set of predictions.

    One entry a metric, always; None where these labels have no such number (AUROC of a single
    class), which the metric itself refuses when called directly. NLL is infinite if a true class
    has probability zero. No value is NaN.

    Raises `InputError` if lengths differ, a label has no column, or rows are no log-probabilities.

    >>> import numpy as np
    >>> numbers = score(np.log([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 1]))
    >>> numbers["accuracy"], round(numbers["ece"], 12)
    (0.5, 0.25)
    """
    return score_cases(prepare_cases(log_probabilities, labels, num_bins))


def score_cases(cases: Cases) -> dict[str, float | None]:
    """Return every metric of `METRICS` for cases already checked; see `score`."""
    values = evaluate(cases)
    return {name: None if value is None else float(value) for name, value in values.items()}


def score_derived(
    cases: Cases, patients: Patients, truth: Probabilities | None = None
) -> dict[str, float]:
    """Return the metrics of `DERIVED` for cases already checked.

    `truth`, (n, classes), holds the probabilities that the labels were drawn from; what needs them
    is left out without.
    """
    known = vars(cases) | {"cases": cases, "patients": patients, "truth": truth}
    return {
        name: float(metric.function(**{each: known[each] for each in metric.arguments}))
        for name, metric in DERIVED.items()
        if all(known[each] is not None for each in metric.arguments)
    }


def evaluate(
    cases: Cases, weights: Weights | None = None, names: Container[str] = METRICS
) -> dict[str, Estimates | None]:
    """Return the named metrics of `METRICS`, each case counted as often as its weight says.

    One value a row of weights: NaN where a resample lacks the number that all cases have, None
    instead of an array where all cases lack it.
    """
    # These ten sort the cases alike and share their running totals.
    shared = selective_summary(
        cases.confidence,
        cases.losses,
        targets=[
            each / 100 for each in RISK_TARGETS_PERCENT if f"coverage_at_risk_{each}" in names
        ],
        coverages=[each / 100 for each in COVERAGES_PERCENT if f"risk_at_coverage_{each}" in names],
        weights=weights,
    )
    values: dict[str, Estimates | None] = {}
    for name, metric in METRICS.items():
        if name not in names:
            continue
        if name in shared:
            values[name] = shared[name]
        else:
            values[name] = None if metric.why_undefined(cases.labels) else metric(cases, weights)
    return values
