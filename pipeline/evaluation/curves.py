"""Risk-coverage curves: averaged over seeds on a common grid, and one seed's with exact limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from pipeline.evaluation.run import Applied, Run, by_loss
from pipeline.metrics.intervals import LEVEL
from pipeline.metrics.risk_tests import binomial_upper_limit
from pipeline.metrics.selective import RiskCoverage, risk_coverage_curve

COVERAGES = np.arange(1, 101) / 100
"""The common grid on which seeds are averaged."""

MIN_ANSWERED = 30
"""A rate of fewer is not drawn."""

MAX_POINTS = 200
"""Rows of one exact curve: enough for the eye, few enough for a page."""

NONE_APPROVED = np.array([])

CaseLosses = Callable[[Applied, str], Shaped[np.ndarray, "cases"]]
"""From a split and a calibrator to what answering each case costs."""


def errors(applied: Applied, calibrator: str) -> Shaped[np.ndarray, "cases"]:
    """Return 1 for each case that is read wrongly, 0 for the others."""
    return 1 - np.asarray(applied.top(calibrator).correct, dtype=int)


def risk_coverage_table(runs: Sequence[Run], losses: CaseLosses = errors) -> pd.DataFrame:
    """Return the selective risk of cases on a grid of coverages: mean and sd over seeds.

    Columns loss, calibrator, coverage, risk_mean, risk_sd (empty for one seed), num_seeds. At each
    coverage of the grid stands the risk at the smallest attained coverage that is not less.
    """
    rows = []
    for loss, seeds in by_loss(runs):
        for calibrator in seeds[0].calibrators:
            curves = [_case_curve(run.test, calibrator, losses) for run in seeds]
            key = {"loss": loss, "calibrator": calibrator}
            rows.append(pd.DataFrame(key | mean_over_seeds(curves)))
    return pd.concat(rows, ignore_index=True)


def mean_over_seeds(curves: Sequence[RiskCoverage]) -> dict[str, Any]:
    """Return coverage, risk_mean, risk_sd and num_seeds of one curve a seed, on the common grid."""
    risks = np.array([_risk_on_grid(curve) for curve in curves])
    return {
        "coverage": COVERAGES,
        "risk_mean": risks.mean(axis=0),
        "risk_sd": risks.std(axis=0, ddof=1) if len(curves) > 1 else None,
        "num_seeds": len(curves),
    }


def exact_band_table(runs: Sequence[Run], operating_points: pd.DataFrame) -> pd.DataFrame:
    """Return the first seed's curve over test patients with pointwise exact 95 % limits.

    Columns loss, calibrator, seed, threshold, coverage, answered, wrong, risk, lower, upper. A
    patient is answered if all of their cases are, and wrong if any of these is. From 30 answered
    patients on; at most 200 attained thresholds, evenly chosen, the last always answering all, and
    among them what each threshold of the `operating_points_table` answers.
    """
    rows = []
    for loss, seeds in by_loss(runs):
        for calibrator in seeds[0].calibrators:
            curve = _patient_curve(seeds[0].test, calibrator)
            key = {"loss": loss, "calibrator": calibrator, "seed": seeds[0].seed}
            own = (operating_points[list(key)] == pd.Series(key)).all(axis=1)
            approved = operating_points.loc[own, "threshold"].dropna().to_numpy()
            rows.append(pd.DataFrame(key | exact_points(curve, MAX_POINTS, approved)))
    return pd.concat(rows, ignore_index=True)


def exact_points(
    curve: RiskCoverage, most: int, approved: Float[np.ndarray, "thresholds"] = NONE_APPROVED
) -> dict[str, np.ndarray]:
    """Return attained points of a curve of 0/1 losses with pointwise exact 95 % limits.

    Threshold, coverage, answered, wrong, risk, lower, upper; from 30 answered on; at most so many,
    evenly chosen, the last always answering all, and among them what approved thresholds answer.
    """
    return _limited(curve, _shown_points(curve, most, approved))


def _case_curve(applied: Applied, calibrator: str, losses: CaseLosses) -> RiskCoverage:
    return risk_coverage_curve(applied.top(calibrator).confidence, losses(applied, calibrator))


def _patient_curve(applied: Applied, calibrator: str) -> RiskCoverage:
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
