"""Metrics: calibration, accuracy and selective prediction, from log-probabilities and labels.

Numpy float64 alone: no torch, no files, no figures. ``METRICS`` lists every number of `score` with
what tables and pages must know of it. Each metric has one definition, which takes the times each
case counts as ``weights``; the bootstrap (`pipeline.metrics.bootstrap`) uses that same definition.
"""

from __future__ import annotations

from collections.abc import Container
from functools import partial

from pipeline.metrics.accuracy import accuracy, balanced_accuracy, macro_f1
from pipeline.metrics.auroc import auroc, why_no_auroc
from pipeline.metrics.bins import NUM_BINS
from pipeline.metrics.brier import brier
from pipeline.metrics.calibration_error import ada_ece, classwise_ece, ece, mce
from pipeline.metrics.calibration_in_the_large import calibration_in_the_large, confidence_gap
from pipeline.metrics.cases import Cases, prepare_cases
from pipeline.metrics.debiased import l2_calibration_error_debiased
from pipeline.metrics.ks import ks_calibration_error
from pipeline.metrics.metric import Metric
from pipeline.metrics.nll import nll
from pipeline.metrics.selective import (
    augrc,
    aurc,
    coverage_at_risk,
    e_aurc,
    risk_at_coverage,
    selective_summary,
)
from pipeline.metrics.smooth_ece import smooth_ece
from pipeline.metrics.weighting import Estimates, Weights
from pipeline.shapes import Labels, LogProbabilities

__all__ = [
    "METRICS",
    "NUM_BINS",
    "Cases",
    "Metric",
    "evaluate",
    "prepare_cases",
    "score",
    "score_cases",
]

RISK_TARGETS_PERCENT = (1, 2, 5, 10)
COVERAGES_PERCENT = (80, 90, 95)

_CLASSES = ("log_probabilities", "labels")
_TOP = ("confidence", "correct")
_TOP_BINNED = ("confidence", "correct", "num_bins")
_SELECTIVE = ("confidence", "losses")

METRICS: dict[str, Metric] = {
    "accuracy": Metric(
        accuracy, _CLASSES, "higher", True, "Accuracy", "Share of cases predicted right."
    ),
    "balanced_accuracy": Metric(
        balanced_accuracy,
        _CLASSES,
        "higher",
        True,
        "Balanced accuracy",
        "Mean over classes of the share of a class's cases predicted right.",
    ),
    "macro_f1": Metric(
        macro_f1,
        _CLASSES,
        "higher",
        True,
        "Macro F1",
        "Mean over classes of the harmonic mean of precision and recall.",
    ),
    "auroc": Metric(
        auroc,
        _CLASSES,
        "higher",
        False,
        "AUROC",
        "Chance that a case of a class ranks above one of another; mean over classes.",
        why_no_auroc,
    ),
    "nll": Metric(
        nll,
        _CLASSES,
        "lower",
        False,
        "NLL",
        "Mean negative log-likelihood of the true class, nats.",
    ),
    "brier": Metric(
        brier, _CLASSES, "lower", False, "Brier", "Squared error of the probabilities, all classes."
    ),
    "ece": Metric(
        ece,
        _TOP_BINNED,
        "lower",
        True,
        "ECE",
        "Mean gap between confidence and accuracy over bins of equal width.",
        interval="corrected",
    ),
    "ada_ece": Metric(
        ada_ece,
        _TOP_BINNED,
        "lower",
        True,
        "AdaECE",
        "Mean gap between confidence and accuracy over bins of equally many cases.",
        interval="none",
    ),
    "classwise_ece": Metric(
        classwise_ece,
        (*_CLASSES, "num_bins"),
        "lower",
        True,
        "Classwise ECE",
        "Mean over classes of the calibration error of that class's probability.",
        interval="none",
    ),
    "mce": Metric(
        mce,
        _TOP_BINNED,
        "lower",
        True,
        "MCE",
        "Largest gap between confidence and accuracy among bins of equal width.",
        interval="none",
    ),
    "smooth_ece": Metric(
        smooth_ece,
        _TOP,
        "lower",
        True,
        "smECE",
        "Gap between confidence and accuracy under a kernel instead of bins.",
        interval="none",
    ),
    "l2_calibration_error_debiased": Metric(
        l2_calibration_error_debiased,
        _TOP_BINNED,
        "lower",
        True,
        "L2 error, debiased",
        "Root mean squared gap over bins, less what chance alone would give.",
        interval="none",
    ),
    "ks_calibration_error": Metric(
        ks_calibration_error,
        _TOP,
        "lower",
        True,
        "KS error",
        "Largest gap between cumulated confidence and cumulated accuracy.",
        interval="none",
    ),
    "confidence_gap": Metric(
        confidence_gap,
        _TOP,
        "zero",
        True,
        "Confidence gap",
        "Mean confidence minus accuracy: above zero the model is over-confident.",
    ),
    "calibration_in_the_large": Metric(
        calibration_in_the_large,
        _CLASSES,
        "lower",
        True,
        "Calibration in the large",
        "Largest gap between a class's mean probability and its share of the labels.",
        interval="none",
    ),
    "aurc": Metric(
        aurc, _SELECTIVE, "lower", True, "AURC", "Mean selective risk over all coverages."
    ),
    "e_aurc": Metric(
        e_aurc, _SELECTIVE, "lower", True, "E-AURC", "AURC above that of a perfect ranking."
    ),
    "augrc": Metric(
        augrc,
        _SELECTIVE,
        "lower",
        True,
        "AUGRC",
        "Mean share of all cases that are answered and wrong, over all coverages.",
    ),
    **{
        f"coverage_at_risk_{percent}": Metric(
            partial(coverage_at_risk, target=percent / 100),
            _SELECTIVE,
            "higher",
            True,
            f"Coverage at {percent} % risk",
            f"Largest share answered with at most {percent} % of the answers wrong.",
            interval="none",
        )
        for percent in RISK_TARGETS_PERCENT
    },
    **{
        f"risk_at_coverage_{percent}": Metric(
            partial(risk_at_coverage, coverage=percent / 100),
            _SELECTIVE,
            "lower",
            True,
            f"Risk at {percent} % coverage",
            f"Share wrong among the surest {percent} % of the cases.",
        )
        for percent in COVERAGES_PERCENT
    },
}
"""Every number of `score` by its name, in the order of tables."""


def score(
    log_probabilities: LogProbabilities, labels: Labels, num_bins: int = NUM_BINS
) -> dict[str, float | None]:
    """Return every metric of `METRICS` for one set of predictions.

    Parameters
    ----------
    log_probabilities : float array, (n, classes)
        Calibrated or not; each row's exponentials sum to one.
    labels : int array, (n,)
        True classes, ``0 <= label < classes``.
    num_bins : int
        Bins of the binned calibration errors.

    Returns
    -------
    dict of str to float or None
        One entry a metric, always; None where these labels have no such number (AUROC of a single
        class), which the metric itself refuses when called directly. NLL is infinite if a true
        class has probability zero. No value is NaN.

    Raises
    ------
    InputError
        If lengths differ, a label has no column, or rows are no log-probabilities.

    Examples
    --------
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
        targets=[percent / 100 for percent in RISK_TARGETS_PERCENT],
        coverages=[percent / 100 for percent in COVERAGES_PERCENT],
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
