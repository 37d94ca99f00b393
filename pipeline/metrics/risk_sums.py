"""The figures of selective prediction, from sums over the answered cases of many resamples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class RiskSums:
    """Cases answered and their summed loss as the threshold falls, one row a resample.

    Attributes
    ----------
    answered : int array, (resamples, points)
        Number of cases that score at least each distinct score; the last column is all cases.
        A score that no case of a resample has repeats the column before it.
    losses : float array, (resamples, points)
        Summed loss of those cases.
    """

    answered: Int[np.ndarray, "resamples points"]
    losses: Float[np.ndarray, "resamples points"]

    @property
    def num_cases(self) -> Int[np.ndarray, "resamples"]:
        """Number of cases in each resample."""
        return self.answered[:, -1]


Statistic = Callable[[RiskSums], Float[np.ndarray, "resamples"]]


def area_under_risk(sums: RiskSums) -> Float[np.ndarray, "resamples"]:
    """Average the expected selective risk over every count of answered cases.

    A tie of g cases with summed loss S follows a cases with summed loss L. After m of them the
    expected risk is (L + m S/g) / (a + m) = S/g + (L - a S/g) / (a + m), whose sum over m = 1..g is
    S + (L - a S/g) (H_{a+g} - H_a), with H the harmonic numbers: no loop over the tie.

    >>> area_under_risk(RiskSums(np.array([[1, 3]]), np.array([[0.0, 1.0]])))  # 0, 1/4, 1/3
    array([0.19444444])
    """
    harmonic = np.zeros(sums.num_cases.max() + 1)
    np.cumsum(1.0 / np.arange(1, len(harmonic)), out=harmonic[1:])
    tied, summed = np.diff(sums.answered, prepend=0), np.diff(sums.losses, prepend=0.0)
    mean = summed / np.maximum(tied, 1)
    excess = (sums.losses - summed) - (sums.answered - tied) * mean
    total = (excess * np.diff(harmonic[sums.answered], prepend=0.0)).sum(axis=1)
    return (sums.losses[:, -1] + total) / sums.num_cases


def area_under_joint_risk(sums: RiskSums) -> Float[np.ndarray, "resamples"]:
    """Integrate the rate of "answered and wrong" over coverage by trapezoids from 0.

    >>> area_under_joint_risk(RiskSums(np.array([[1, 2]]), np.array([[0.0, 1.0]])))
    array([0.125])
    """
    tied, summed = np.diff(sums.answered, prepend=0), np.diff(sums.losses, prepend=0.0)
    area = (tied * (sums.losses - summed / 2)).sum(axis=1)
    return area / sums.num_cases.astype(float) ** 2


def largest_coverage(sums: RiskSums, *, target: float) -> Float[np.ndarray, "resamples"]:
    """Return the largest coverage whose selective risk is at most ``target``, or 0.

    >>> largest_coverage(RiskSums(np.array([[1, 2]]), np.array([[0.0, 1.0]])), target=0.1)
    array([0.5])
    """
    # The quotient is compared, not a product: 29/100 <= 0.29 holds in floats, 29 <= 0.29 * 100 not.
    risk = sums.losses / np.maximum(sums.answered, 1)
    answered = np.where(risk <= target, sums.answered, 0)
    return answered.max(axis=1) / sums.num_cases


def risk_from_coverage(sums: RiskSums, *, coverage: float) -> Float[np.ndarray, "resamples"]:
    """Return the selective risk at the smallest coverage that is at least ``coverage``.

    >>> risk_from_coverage(RiskSums(np.array([[1, 2]]), np.array([[0.0, 1.0]])), coverage=0.6)
    array([0.5])
    """
    reached = sums.answered / sums.num_cases[:, None] >= coverage
    first = np.argmax(reached, axis=1)[:, None]
    risk = np.take_along_axis(sums.losses, first, 1) / np.take_along_axis(sums.answered, first, 1)
    return risk[:, 0]
