"""A smooth reliability curve with a band of confidence, in the place of bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.metrics.bins import require_confidence
from pipeline.metrics.bootstrap import NUM_RESAMPLES, Patients, resampled_weights
from pipeline.metrics.intervals import LEVEL, require_level
from pipeline.metrics.smooth_ece import (
    cell_centres,
    grid_sums,
    smooth_ece_bandwidth,
    smoothed,
    spectrum,
)
from pipeline.metrics.weighting import Confidence, Correct, Weights, case_weights
from pipeline.shapes import require_same_length

FEWEST_NEAR = 10.0
"""A point of the curve averages at least so many cases; fewer are masked in every table too."""

THINNING = 8
"""Every eighth cell of the grid is a point: 128 are enough for the eye."""


@dataclass(frozen=True)
class SmoothCurve:
    """Accuracy as a smooth function of confidence."""

    confidence: Float[np.ndarray, "points"]
    """Ascending in (0, 1)."""
    accuracy: Float[np.ndarray, "points"]
    lower: Float[np.ndarray, "points"]
    upper: Float[np.ndarray, "points"]
    """Kernel mean and its pointwise band; NaN where too few cases are near to tell."""
    num_near: Float[np.ndarray, "points"]
    """Cases that the kernel averages there: the sum of its values, 1 at distance 0."""
    bandwidth: float
    """Standard deviation of the Gaussian kernel."""


def smooth_curve(
    confidence: Confidence,
    correct: Correct,
    patients: Patients,
    *,
    seed: int,
    bandwidth: float | None = None,
    num_resamples: int = NUM_RESAMPLES,
    level: float = LEVEL,
) -> SmoothCurve:
    r"""Return the kernel mean of correctness over confidence, with a band by resampling patients.

    .. math:: \hat a(t) = \frac{\sum_i K_\sigma(t, c_i)\, a_i}{\sum_i K_\sigma(t, c_i)}

    with K the Gaussian reflected at 0 and 1.

    Raises `InputError` if lengths differ, a confidence lies outside [0, 1], the bandwidth is not
    positive, or there are fewer than two patients.

    Parameters
    ----------
    confidence : float array, (n,)
        Probability of what ``correct`` speaks of, in [0, 1].
    bandwidth : float, optional
        Of the kernel; that of `smooth_ece` if not given, so that the mean distance of the curve
        from the diagonal is the smooth calibration error, but at least the distance of two points.
        Held over the resamples.
    num_resamples, level
        As of `bootstrap_mean_score`. The band is centred on the curve and pointwise; it says what
        other patients would change, not what the kernel blurs.

    References
    ----------
    Blasiok and Nakkiran, ICLR 2024, arXiv:2309.12236, section 5.
    """
    require_same_length(confidence=confidence, correct=correct, patients=patients)
    require_confidence(confidence)
    require_level(level)
    ones = case_weights(None, len(confidence))
    if bandwidth is None:
        # A model without a gap asks for a kernel of no width, which would miss every point.
        finest = THINNING / len(cell_centres())
        bandwidth = max(finest, float(smooth_ece_bandwidth(confidence, correct, ones)))
    if not bandwidth > 0:
        message = f"bandwidth must be above 0, got {bandwidth}"
        raise InputError(message)
    num_near, accuracy = _kernel_mean(confidence, correct, ones, bandwidth)
    resampled = [
        _kernel_mean(confidence, correct, weights, bandwidth)[1]
        for weights in resampled_weights(patients, seed=seed, num_resamples=num_resamples)
    ]
    shown = num_near >= FEWEST_NEAR
    tail = (1.0 - level) / 2
    lower, upper = np.full((2, len(shown)), np.nan)
    if shown.any():
        values = np.concatenate(resampled)[:, shown]
        lower[shown], upper[shown] = np.nanquantile(values, [tail, 1.0 - tail], axis=0)
    return SmoothCurve(
        cell_centres()[_POINTS],
        np.where(shown, accuracy, np.nan),
        lower,
        upper,
        num_near,
        bandwidth,
    )


_POINTS = slice(THINNING // 2, None, THINNING)


def _kernel_mean(
    confidence: Confidence, correct: Correct, weights: Weights, bandwidth: float
) -> tuple[Float[np.ndarray, "*resamples points"], Float[np.ndarray, "*resamples points"]]:
    """Return the number of cases near each point and the share of them that is right."""
    hits = np.asarray(correct, dtype=np.float64)
    # The smoothed sums hold each cell's share of a Gaussian of area one; make its peak one.
    peak = np.sqrt(2.0 * np.pi) * bandwidth * len(cell_centres())
    near, near_hits = (
        peak * smoothed(spectrum(grid_sums(confidence, values, weights)), bandwidth)[..., _POINTS]
        for values in (np.ones_like(hits), hits)
    )
    # Below this a resample holds nobody near, and the quotient of two roundings means nothing.
    known = near > 1e-6
    share = np.divide(near_hits, near, out=np.full_like(near, np.nan), where=known)
    return near, np.clip(share, 0.0, 1.0)
