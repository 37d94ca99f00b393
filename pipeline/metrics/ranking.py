"""Cases ranked by a score, ties together, with sums as the threshold falls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from pipeline.errors import InputError
from pipeline.metrics.weighting import BLOCK_ELEMENTS


@dataclass(frozen=True)
class RankedCases:
    """Cases from the highest score to the lowest."""

    order: Int[np.ndarray, "cases"]
    """Case numbers, highest score first, equal scores in the order they came."""
    ends: Int[np.ndarray, "scores"]
    """Where in ``order`` the last case of each distinct score stands."""
    scores: Float[np.ndarray, "scores"]
    """The distinct scores, falling."""

    def cumulate(self, values: Shaped[np.ndarray, "... cases"]) -> Shaped[np.ndarray, "... scores"]:
        """Sum ``values`` over the cases that score at least each distinct score."""
        return self.cumulate_ordered(np.take(values, self.order, axis=-1))

    def cumulate_ordered(
        self, ordered: Shaped[np.ndarray, "... cases"]
    ) -> Shaped[np.ndarray, "... scores"]:
        """Sum as `cumulate` does what stands in ``order`` already."""
        kind = np.float64 if ordered.dtype.kind == "f" else np.int64
        sums = np.cumsum(ordered, axis=-1, dtype=kind)
        # Without ties every case is an end, and the copy is saved.
        return sums if len(self.ends) == len(self.order) else np.take(sums, self.ends, axis=-1)


def rank(scores: Float[np.ndarray, "cases"]) -> RankedCases:
    """Rank cases by falling score; equal scores share one end.

    >>> ranking = rank(np.array([0.2, 0.9, 0.2]))
    >>> ranking.scores, ranking.cumulate(np.array([1, 1, 1]))
    (array([0.9, 0.2]), array([1, 3]))
    """
    # A stable sort, so that sums of costs have the same bits on every machine.
    order = stable_order(-scores)
    falling = scores[order]
    ends = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    return RankedCases(order, ends, falling[ends])


def stable_order(values: Float[np.ndarray, "cases"]) -> Int[np.ndarray, "cases"]:
    """Return the order that sorts, equal values as they came.

    Where no two are equal any sort is stable, and numpy's quickest takes a fifth of the time.

    >>> stable_order(np.array([0.5, 0.1, 0.5]))
    array([1, 0, 2])
    """
    order = np.argsort(values)
    ascending = values[order]
    if (ascending[1:] == ascending[:-1]).any():
        return np.argsort(values, kind="stable")
    return order


def multiplicity_blocks(
    weights: Shaped[np.ndarray, "*resamples cases"] | None, *, num_cases: int
) -> Iterator[Int[np.ndarray, "block cases"]]:
    """Yield case multiplicities a few resamples at a time, checked.

    Raises `InputError` if a weight is negative or no whole number, a resample holds no case, or the
    shape differs.
    """
    if weights is None:
        yield np.ones((1, num_cases), dtype=np.int64)
        return
    if weights.ndim not in (1, 2) or weights.shape[-1] != num_cases:
        message = f"weights must be ({num_cases},) or (resamples, {num_cases}), got {weights.shape}"
        raise InputError(message)
    rows = np.atleast_2d(weights)
    step = max(1, BLOCK_ELEMENTS // num_cases)
    for start in range(0, len(rows), step):
        yield _whole(rows[start : start + step])


def _whole(weights: Shaped[np.ndarray, "block cases"]) -> Int[np.ndarray, "block cases"]:
    """Return the block as whole numbers, or say what is wrong with it."""
    with np.errstate(invalid="ignore"):
        counts = weights if weights.dtype.kind in "biu" else weights.astype(np.int64)
    if counts is not weights and not np.array_equal(counts, weights):
        message = "weights must be whole numbers of cases, got a fraction, NaN or infinity"
        raise InputError(message)
    if weights.dtype.kind in "if" and counts.min() < 0:
        message = f"weights must be at least 0, got {counts.min()}"
        raise InputError(message)
    if not counts.any(axis=1).all():
        message = "weights must count at least one case in every resample, got none"
        raise InputError(message)
    return counts
