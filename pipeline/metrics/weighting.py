"""How often each case counts: the one place where a metric meets its resamples.

Every metric here has one definition, a function of the cases and of their *weights*: the number of
times each case is counted. Weights of one is the plain metric; a row of weights a resample is the
bootstrap. So the two cannot drift apart, and cases are sorted and binned once for many resamples.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from pipeline.errors import InputError

Weights = Float[np.ndarray, "*resamples cases"]
"""Non-negative whole numbers, the times each case counts; one row a resample."""

Estimates = float | Float[np.ndarray, "*resamples"]
"""One value a row of weights: a number where the weights are one row."""

MATRIX_BINS = 64
"""Up to so many bins one matrix product sums all resamples faster than counting row by row."""

BLOCK_ELEMENTS = 2**18
"""Weights gathered at once: 2 MB in float64, so that what is made of them stays in cache."""

Patients = Shaped[np.ndarray, "cases"]
"""Whose each case is: any values that tell patients apart."""

Confidence = Float[np.ndarray, "cases"]
"""Probabilities in [0, 1], usually of the predicted class."""

Correct = Bool[np.ndarray, "cases"] | Int[np.ndarray, "cases"]
"""Whether the predicted class (or whatever the confidence speaks of) is true."""


def case_weights(weights: Weights | None, num_cases: int) -> Weights:
    """Return the weights as floats, one for every case where none are given.

    Raises `InputError` without a case; if the last axis does not hold one weight a case; if a
    weight is negative or a row counts no case at all.

    >>> case_weights(None, 3)
    array([1., 1., 1.])
    """
    if num_cases == 0:
        message = "a metric needs at least one case, got none"
        raise InputError(message)
    if weights is None:
        # One number seen n times: it costs no memory.
        return np.broadcast_to(1.0, num_cases)
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim == 0 or weights.shape[-1] != num_cases:
        message = f"weights must end in {num_cases} cases, got shape {weights.shape}"
        raise InputError(message)
    if not (weights.min() >= 0 and weights.sum(axis=-1).min() > 0):
        message = "weights must be non-negative and count at least one case, got other values"
        raise InputError(message)
    return weights


def smallest_counts(weights: Weights) -> Int[np.ndarray, "*resamples cases"]:
    """Return the weights as integers of the smallest type that holds them.

    Whatever gathers them again and again reads an eighth of the memory, and numpy cumulates
    integers several times as fast as floats.

    >>> smallest_counts(np.array([1.0, 3.0]))
    array([1, 3], dtype=uint8)
    """
    return weights.astype(np.min_scalar_type(int(weights.max())))


def weighted_mean(values: Float[np.ndarray, "cases"], weights: Weights) -> Estimates:
    """Return the mean over cases, each counted as often as its weight says.

    >>> weighted_mean(np.array([1.0, 4.0]), np.array([[1.0, 1.0], [2.0, 1.0]]))
    array([2.5, 2. ])
    """
    return weights @ values / weights.sum(axis=-1)


def sums_by_bin(
    bins: Int[np.ndarray, "cases"],
    num_bins: int,
    values: Float[np.ndarray, "cases"] | float,
    weights: Weights,
) -> Float[np.ndarray, "*resamples bins"]:
    """Return the weighted sum of the values that fall into each bin.

    >>> sums_by_bin(np.array([0, 2, 2]), 3, np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 2.0]))
    array([1., 0., 8.])
    """
    if weights.ndim > 1 and num_bins <= MATRIX_BINS:
        membership = np.zeros((len(bins), num_bins))
        membership[np.arange(len(bins)), bins] = values
        return weights @ membership
    rows = weights.reshape(-1, weights.shape[-1])
    sums = [np.bincount(bins, weights=row * values, minlength=num_bins) for row in rows]
    return np.reshape(sums, (*weights.shape[:-1], num_bins))
