"""Points of the risk-coverage curve: what is answered at a risk, what is wrong at a coverage."""

from __future__ import annotations

from functools import partial

from pipeline.errors import InputError
from pipeline.metrics.metric import Metric
from pipeline.metrics.risk_sums import (
    Losses,
    SelectionScores,
    Statistic,
    Value,
    evaluate_statistics,
    largest_coverage,
    risk_from_coverage,
)
from pipeline.metrics.weighting import Weights

RISK_TARGETS_PERCENT = (1, 2, 5, 10)
COVERAGES_PERCENT = (80, 90, 95)


def coverage_at_risk(
    confidence: SelectionScores, losses: Losses, target: float, weights: Weights | None = None
) -> Value:
    """Return the largest attained coverage whose selective risk is at most ``target``, or 0.

    The curve need not rise: a looser threshold may meet the target where a stricter one does not.
    An empirical figure, chosen on the cases it is measured on; for a threshold that holds on new
    cases see `pipeline.metrics.guarantee`.

    >>> import numpy as np
    >>> coverage_at_risk(np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 0, 0, 1]), target=0.4)
    0.75
    """
    statistics = {"coverage": coverage_statistic(target)}
    return evaluate_statistics(statistics, confidence, losses, weights)["coverage"]


COVERAGES_AT_RISK = tuple(
    Metric(
        name=f"coverage_at_risk_{percent}",
        function=partial(coverage_at_risk, target=percent / 100),
        kind="selective",
        better="higher",
        label=f"Coverage at {percent}% risk",
        description=f"Largest share answered with at most {percent} % of the answers wrong.",
        digits=1,
        shown=("comparison", "selection"),
        target=percent / 100,
        interval="none",
    )
    for percent in RISK_TARGETS_PERCENT
)


def risk_at_coverage(
    confidence: SelectionScores, losses: Losses, coverage: float, weights: Weights | None = None
) -> Value:
    """Return the selective risk at the smallest attained coverage that is at least ``coverage``.

    Ties may attain more than was asked; never less, so that no work is left out.

    >>> import numpy as np
    >>> risk_at_coverage(np.array([0.9, 0.8, 0.7, 0.6]), np.array([0, 0, 1, 1]), coverage=0.6)
    0.3333333333333333
    """
    statistics = {"risk": risk_statistic(coverage)}
    return evaluate_statistics(statistics, confidence, losses, weights)["risk"]


RISKS_AT_COVERAGE = tuple(
    Metric(
        name=f"risk_at_coverage_{percent}",
        function=partial(risk_at_coverage, coverage=percent / 100),
        kind="selective",
        better="lower",
        label=f"Risk at {percent}% coverage",
        description=f"Share wrong among the surest {percent} % of the cases.",
    )
    for percent in COVERAGES_PERCENT
)


def coverage_statistic(target: float) -> Statistic:
    """Return what finds the largest coverage at a risk of at most ``target``, at least 0."""
    if not target >= 0:
        message = f"a target risk must be at least 0, got {target}"
        raise InputError(message)
    return partial(largest_coverage, target=target)


def risk_statistic(coverage: float) -> Statistic:
    """Return what finds the risk at a coverage of at least ``coverage``, in (0, 1]."""
    if not 0 < coverage <= 1:
        message = f"a coverage must lie in (0, 1], got {coverage}"
        raise InputError(message)
    return partial(risk_from_coverage, coverage=coverage)
