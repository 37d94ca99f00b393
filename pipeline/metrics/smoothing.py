"""Gaussian smoothing over confidence, reflected at 0 and 1, for many resamples at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pipeline.metrics.weighting import Confidence, Weights, sums_by_bin

GRID_SIZE = 1024
"""Cells over [0, 1]: a tenth of the bandwidth that 100,000 calibrated cases ask for."""


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


def spectrum(sums: Float[np.ndarray, "*resamples grid"]) -> np.ndarray:
    """Return the Fourier transform of the sums continued by reflection at 0 and 1."""
    return np.fft.rfft(np.concatenate([sums, sums[..., ::-1]], axis=-1), axis=-1)


def smoothed(
    transformed: np.ndarray, bandwidth: Float[np.ndarray, "*resamples"] | float
) -> Float[np.ndarray, "*resamples grid"]:
    r"""Return the sums spread by a Gaussian of the given standard deviation.

    The reflected line has period 2, so its k-th frequency is :math:`\pi k` and the Gaussian
    multiplies it by :math:`e^{-(\pi k \sigma)^2 / 2}`. The total is kept.
    """
    frequency = np.pi * np.arange(transformed.shape[-1])
    damping = np.exp(-0.5 * np.square(np.multiply.outer(bandwidth, frequency)))
    return np.fft.irfft(transformed * damping, axis=-1)[..., :GRID_SIZE]
