"""Risk-coverage curves of one run: on the grid that seeds share, and with exact limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from pipeline.metrics.intervals import LEVEL
from pipeline.metrics.risk_tests import binomial_upper_limit
from pipeline.metrics.selective import RiskCoverage, risk_coverage_curve
from pipeline.tables.parts.run import Applied

COVERAGES = np.arange(1, 101) / 100
"""The common grid on which seeds are averaged."""


MIN_ANSWERED = 30
"""A rate of fewer is not drawn."""


NONE_APPROVED = np.array([])


CaseLosses = Callable[[Applied, str], Shaped[np.ndarray, "cases"]]
"""From a split and a calibrator to what answering each case costs."""


def errors(applied: Applied, calibrator: str) -> Shaped[np.ndarray, "cases"]:
    """Return 1 for each case that is read wrongly, 0 for the others."""
    return 1 - np.asarray(applied.top(calibrator).correct, dtype=int)


def mean_over_seeds(curves: Sequence[RiskCoverage]) -> dict[str, Any]:
    """Return coverage, risk_mean, risk_sd and num_seeds of one curve a seed, on the common grid."""
    risks = np.array([_risk_on_grid(curve) for curve in curves])
    return {
        "coverage": COVERAGES,
        "risk_mean": risks.mean(axis=0),
        "risk_sd": risks.std(axis=0, ddof=1) if len(curves) > 1 else None,
        "num_seeds": len(curves),
    }


def exact_points(
    curve: RiskCoverage, most: int, approved: Float[np.ndarray, "thresholds"] = NONE_APPROVED
) -> dict[str, np.ndarray]:
    """Return attained points of a curve of 0/1 losses with pointwise exact 95 % limits.

    Threshold, coverage, answered, wrong, risk, lower, upper; from 30 answered on; at most so many,
    evenly chosen, the last always answering all, and among them what approved thresholds answer.
    """
    return _limited(curve, _shown_points(curve, most, approved))


def case_curve(applied: Applied, calibrator: str, losses: CaseLosses) -> RiskCoverage:
    """Return the curve of cases, each answered by its own confidence."""
    return risk_coverage_curve(applied.top(calibrator).confidence, losses(applied, calibrator))


def patient_curve(applied: Applied, calibrator: str) -> RiskCoverage:
    """Return the curve of patients, each answered if all of their cases are."""
    units = applied.units(calibrator)
    return risk_coverage_curve(units.confidence, units.losses)


def _risk_on_grid(curve: RiskCoverage) -> Float[np.ndarray, "grid"]:
    # In whole cases: a share such as 0.07 of 100 is more than 7 in floats.
    percent = np.arange(1, 101)
    asked = -(-percent * int(curve.answered[-1]) // 100)
    return curve.risk[np.searchsorted(curve.answered, asked)]


def _shown_points(
    curve: RiskCoverage, most: int, approved: Float[np.ndarray, "thresholds"]
) -> np.ndarray:
    enough = np.flatnonzero(curve.answered >= MIN_ANSWERED)
    if len(enough) <= most:
        return enough
    # Thresholds fall along a curve: an approved one answers what the last not below it answers.
    last = np.searchsorted(-curve.thresholds, -approved, side="right") - 1
    kept = np.intersect1d(last, enough)
    evenly = np.linspace(0, len(enough) - 1, most - len(kept)).astype(int)
    return np.union1d(enough[evenly], kept)


def _limited(curve: RiskCoverage, points: np.ndarray) -> dict[str, np.ndarray]:
    answered, wrong = curve.answered[points], curve.losses[points].astype(int)
    tail = (1 - LEVEL) / 2
    return {
        "threshold": curve.thresholds[points],
        "coverage": curve.coverage[points],
        "answered": answered,
        "wrong": wrong,
        "risk": curve.risk[points],
        # The right ones' upper limit is one less the wrong ones' lower limit.
        "lower": 1 - binomial_upper_limit(answered - wrong, answered, tail),
        "upper": binomial_upper_limit(wrong, answered, tail),
    }
