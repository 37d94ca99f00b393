"""Smooth calibration error: no bins, a kernel whose width the error itself chooses."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pipeline.metrics.bins import require_confidence
from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import (
    Confidence,
    Correct,
    Estimates,
    Weights,
    case_weights,
    sums_by_bin,
)

GRID_SIZE = 1024
"""Cells over [0, 1]: a tenth of the bandwidth that 100,000 calibrated cases ask for."""

REACH = 9.0
"""Standard deviations of a Gaussian that count: exp(-81 / 2) is 3e-18."""
NUM_HALVINGS = 17
"""Halvings of [0, 1]: the bandwidth is found to within 1e-5."""


def cell_centres() -> Float[np.ndarray, "grid"]:
    """Return the confidences in the middle of the grid's cells."""
    return (np.arange(GRID_SIZE) + 0.5) / GRID_SIZE


def grid_sums(
    confidence: Confidence, values: Float[np.ndarray, "cases"] | float, weights: Weights
) -> Float[np.ndarray, "*resamples grid"]:
    """Return the weighted sum of the values near each cell's centre.

    A value is shared between the two nearest centres in proportion to its nearness, so that sums
    and means keep their place and not only their size. Beyond the outermost centres reflection
    folds the share back into the outermost cell.
    """
    position = np.asarray(confidence, dtype=np.float64) * GRID_SIZE - 0.5
    below = np.floor(position)
    share_above = position - below
    lower = np.clip(below, 0, GRID_SIZE - 1).astype(np.intp)
    upper = np.clip(below + 1, 0, GRID_SIZE - 1).astype(np.intp)
    sums = sums_by_bin(lower, GRID_SIZE, values * (1.0 - share_above), weights)
    return sums + sums_by_bin(upper, GRID_SIZE, values * share_above, weights)


def spectrum(sums: Float[np.ndarray, "*resamples grid"]) -> Float[np.ndarray, "*resamples grid"]:
    """Return the cosine transform of the sums: as they are continued by reflection at 0 and 1."""
    # Imported here, because it takes longer than the rest of the package together.
    from scipy.fft import dct

    return dct(sums, axis=-1)


def smoothed(
    transformed: Float[np.ndarray, "*resamples grid"],
    bandwidth: Float[np.ndarray, "*resamples"] | float,
) -> Float[np.ndarray, "*resamples grid"]:
    r"""Return the sums spread by a Gaussian of the given standard deviation.

    The reflected line has period 2, so its k-th frequency is :math:`\pi k` and the Gaussian
    multiplies it by :math:`e^{-(\pi k \sigma)^2 / 2}`. The total is kept.
    """
    from scipy.fft import idct

    num_frequencies = transformed.shape[-1]
    # Beyond so many standard deviations nothing is left of a frequency: less than 1e-17 of it.
    last = min(num_frequencies, int(REACH / (np.pi * max(np.min(bandwidth), 1e-9))) + 1)
    frequency = np.pi * np.arange(last)
    damping = np.exp(-0.5 * np.square(np.multiply.outer(bandwidth, frequency)))
    return idct(transformed[..., :last] * damping, n=num_frequencies, axis=-1)


def smooth_ece(
    confidence: Confidence, correct: Correct, *, weights: Weights | None = None
) -> Estimates:
    r"""Return the smooth calibration error, in [0, 1].

    .. math:: \mathrm{smECE}_\sigma = \int_0^1 \Big| \frac1n \sum_i K_\sigma(t, c_i) (a_i - c_i)
              \Big| dt, \qquad \mathrm{smECE} = \mathrm{smECE}_{\sigma^*}, \quad
              \sigma^* = \mathrm{smECE}_{\sigma^*}

    K is the Gaussian reflected at 0 and 1. Smoothing more never raises the error, so the fixed
    point is unique. Computed on a grid of 1,024 cells.

    Continuous in the confidences, which a binned error is not.

    References
    ----------
    Blasiok and Nakkiran, ICLR 2024, arXiv:2309.12236, definitions 4.1 and 4.2.

    Examples
    --------
    >>> confidence = np.full(1000, 0.5)
    >>> round(float(smooth_ece(confidence, np.ones(1000))), 3)  # always 0.5 too low
    0.5
    """
    weights = case_weights(weights, len(confidence))
    residuals = _residual_spectrum(confidence, correct, weights)
    return _total_gap(residuals, _fixed_point(residuals))


SMOOTH_ECE = Metric(
    name="smooth_ece",
    function=smooth_ece,
    kind="calibration",
    better="lower",
    label="smECE",
    description="Gap between confidence and accuracy under a kernel instead of bins.",
    interval="none",
)


def smooth_ece_bandwidth(
    confidence: Confidence, correct: Correct, weights: Weights
) -> Float[np.ndarray, "*resamples"]:
    """Return the bandwidth that equals the error it gives, to within 1e-5."""
    return _fixed_point(_residual_spectrum(confidence, correct, weights))


def _fixed_point(residuals: np.ndarray) -> Float[np.ndarray, "*resamples"]:
    lower = np.zeros(residuals.shape[:-1])
    width = 1.0
    for _ in range(NUM_HALVINGS):
        width /= 2
        middle = lower + width
        lower = np.where(_total_gap(residuals, middle) >= middle, middle, lower)
    return lower + width / 2


def _residual_spectrum(confidence: Confidence, correct: Correct, weights: Weights) -> np.ndarray:
    require_confidence(confidence)
    residual = correct - np.asarray(confidence, dtype=np.float64)
    sums = grid_sums(confidence, residual, weights)
    return spectrum(sums / weights.sum(axis=-1, keepdims=True))


def _total_gap(
    residuals: np.ndarray, bandwidth: Float[np.ndarray, "*resamples"] | float
) -> Estimates:
    return np.abs(smoothed(residuals, bandwidth)).sum(axis=-1)
