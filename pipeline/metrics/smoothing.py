"""Gaussian smoothing over confidence, reflected at 0 and 1, for many resamples at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pipeline.metrics.weighting import Confidence, Weights, sums_by_bin

GRID_SIZE = 1024
"""Cells over [0, 1]: a tenth of the bandwidth that 100,000 calibrated cases ask for."""

REACH = 9.0
"""Standard deviations of a Gaussian that count: exp(-81 / 2) is 3e-18."""


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
