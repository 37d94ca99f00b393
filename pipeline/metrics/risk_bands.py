"""How sure a risk-coverage curve is: exact intervals, and curves brought to a common grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.errors import InputError
from pipeline.metrics.intervals import require_level
from pipeline.metrics.risk_tests import binomial_upper_limit
from pipeline.metrics.selective import RiskCoverage


@dataclass(frozen=True)
class RiskBand:
    """Exact intervals of the selective risk.

    Attributes
    ----------
    answered, wrong : int array, (points,)
        Cases answered at each threshold, and how many of them wrongly.
    lower, upper : float array, (points,)
        Ends of each interval; 0 and 1 where nothing is answered.
    """

    answered: Int[np.ndarray, "points"]
    wrong: Int[np.ndarray, "points"]
    lower: Float[np.ndarray, "points"]
    upper: Float[np.ndarray, "points"]


def risk_on_grid(
    curve: RiskCoverage, coverages: Float[np.ndarray, "grid"]
) -> Float[np.ndarray, "grid"]:
    """Read the curve at given coverages, each at the smallest attained coverage that suffices.

    Curves of several seeds attain different coverages; on one grid they can be averaged.

    Parameters
    ----------
    curve : RiskCoverage
        The curve of one seed.
    coverages : float array, (grid,)
        In (0, 1].

    Examples
    --------
    >>> from pipeline.metrics.selective import risk_coverage_curve
    >>> curve = risk_coverage_curve(np.array([0.9, 0.8, 0.7, 0.6]), np.array([0, 1, 0, 0]))
    >>> risk_on_grid(curve, np.array([0.25, 0.3, 1.0]))
    array([0.  , 0.5 , 0.25])
    """
    if len(coverages) and not (coverages.min() > 0 and coverages.max() <= 1):
        message = f"coverages must lie in (0, 1], got {coverages.min()}..{coverages.max()}"
        raise InputError(message)
    return curve.risk[np.searchsorted(curve.coverage, coverages)]


def pointwise_band(curve: RiskCoverage, level: float) -> RiskBand:
    """Return the exact (Clopper-Pearson) interval of the risk at each point of the curve.

    *Pointwise*: each slice holds the truth with probability ``level``; the whole line with less.

    Parameters
    ----------
    curve : RiskCoverage
        A curve of losses of 0 or 1, one independent case a patient.
    level : float
        In (0, 1).

    Raises
    ------
    InputError
        If the losses were no counts, or the level lies outside its range.

    Examples
    --------
    >>> from pipeline.metrics.selective import risk_coverage_curve
    >>> band = pointwise_band(risk_coverage_curve(np.zeros(60), np.zeros(60)), level=0.95)
    >>> band.lower.tolist(), band.upper.round(4).tolist()  # 1 - 0.025 ** (1/60)
    ([0.0], [0.0596])
    """
    return _exact(curve.answered, curve.losses, level)


def bonferroni_bars(
    curve: RiskCoverage, thresholds: Float[np.ndarray, "presets"], level: float
) -> RiskBand:
    """Return exact intervals at preset thresholds that together hold with probability ``level``.

    Each is taken at level 1 - (1 - level) / K for K thresholds, which must have been named before
    the losses were seen. Arguments and errors as for `pointwise_band`.

    >>> from pipeline.metrics.selective import risk_coverage_curve
    >>> curve = risk_coverage_curve(np.zeros(60), np.zeros(60))
    >>> bonferroni_bars(curve, np.array([0.0, -1.0]), level=0.95).upper.round(4)  # 1 - .0125^(1/60)
    array([0.0704, 0.0704])
    """
    require_level(level)
    # Thresholds fall along the curve; the last that is at least the preset answers the same cases.
    point = np.searchsorted(-curve.thresholds, -np.asarray(thresholds), side="right")
    answered, losses = np.append(0, curve.answered)[point], np.append(0.0, curve.losses)[point]
    return _exact(answered, losses, 1.0 - (1.0 - level) / max(len(point), 1))


def _exact(
    answered: Int[np.ndarray, "points"], losses: Float[np.ndarray, "points"], level: float
) -> RiskBand:
    require_level(level)
    wrong = losses.astype(np.int64)
    if (wrong != losses).any() or (wrong > answered).any():
        message = "an exact interval needs losses of 0 or 1, got a summed loss that is no count"
        raise InputError(message)
    tail = (1.0 - level) / 2
    return RiskBand(
        answered=answered,
        wrong=wrong,
        # The lower limit of the wrong is what the upper limit of the right leaves.
        lower=1.0 - binomial_upper_limit(answered - wrong, answered, tail),
        upper=binomial_upper_limit(wrong, answered, tail),
    )
