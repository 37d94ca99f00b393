"""Bins of confidence: of equal width or of equal mass, summed for many resamples at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Float, Int

from pipeline.errors import InputError
from pipeline.metrics.ranking import stable_order
from pipeline.metrics.weighting import (
    BLOCK_ELEMENTS,
    Confidence,
    Weights,
    smallest_counts,
    sums_by_bin,
)

NUM_BINS = 15
"""Bins of a calibration error unless said (Guo et al. 2017, arXiv:1706.04599)."""

BLOCK_CASES = 2**16
"""Cases binned at once: 512 kB in float64."""

BinKind = Literal["width", "mass"]


class Bins(Protocol):
    """A division of the cases by their confidence."""

    @property
    def num_bins(self) -> int:
        """Number of bins."""

    def sums(
        self, values: Float[np.ndarray, "cases"], weights: Weights
    ) -> Float[np.ndarray, "*resamples bins"]:
        """Return the weighted sum of the values in each bin; zero in an empty one."""

    def counts(self, weights: Weights) -> Float[np.ndarray, "*resamples bins"]:
        """Return how many cases each bin counts."""

    def edges(self) -> Float[np.ndarray, "edges"]:
        """Return the confidences that bound the bins, ascending from 0 to 1."""

    def numbers(self) -> Int[np.ndarray, "cases"]:
        """Return the number, from 0, of the bin that each case falls into, counted once."""


@dataclass(frozen=True)
class WidthBins:
    """Bins ``(j/B, (j+1)/B]``: confidence 0 falls into the first, confidence 1 into the last."""

    index: Int[np.ndarray, "cases"]
    num_bins: int

    def sums(
        self, values: Float[np.ndarray, "cases"], weights: Weights
    ) -> Float[np.ndarray, "*resamples bins"]:
        """Return the weighted sum of the values in each bin; zero in an empty one."""
        return sums_by_bin(self.index, self.num_bins, values, weights)

    def counts(self, weights: Weights) -> Float[np.ndarray, "*resamples bins"]:
        """Return how many cases each bin counts."""
        return sums_by_bin(self.index, self.num_bins, 1.0, weights)

    def edges(self) -> Float[np.ndarray, "edges"]:
        """Return ``0, 1/B, ..., 1``."""
        return np.arange(self.num_bins + 1) / self.num_bins

    def numbers(self) -> Int[np.ndarray, "cases"]:
        """Return the number, from 0, of the bin that each case falls into."""
        return self.index


@dataclass(frozen=True)
class MassBins:
    """Bins of equally many cases, in which equal confidences always share a bin.

    With n cases, sorted by confidence, the j-th inner edge lies after j (n // B) + min(j, n mod B)
    of them, as of ``numpy.array_split``. Where it would cut a run of equal confidences it moves to
    the run's end, so that a bin may hold more and the next fewer, or none. A case that counts
    several times is such a run too. So nothing depends on the order of the cases.
    """

    confidence: Confidence
    order: Int[np.ndarray, "cases"]
    closing: Int[np.ndarray, "cases"]
    num_bins: int

    def sums(
        self, values: Float[np.ndarray, "cases"], weights: Weights
    ) -> Float[np.ndarray, "*resamples bins"]:
        """Return the weighted sum of the values in each bin; zero in an empty one."""
        order = self._order_of(values)
        ordered = np.asarray(values, dtype=np.float64)[order]
        rows = smallest_counts(weights.reshape(-1, weights.shape[-1]))
        sums = np.empty((len(rows), self.num_bins))
        # A few resamples at a time, so that what is gathered of them stays in cache.
        step = max(1, BLOCK_ELEMENTS // len(ordered))
        for start in range(0, len(rows), step):
            block = np.take(rows[start : start + step], order, axis=1)
            sums[start : start + step] = self._block_sums(ordered, block)
        return sums.reshape(*weights.shape[:-1], self.num_bins)

    def _order_of(self, values: Float[np.ndarray, "cases"]) -> Int[np.ndarray, "cases"]:
        """Return an order by confidence in which, among equals, the values decide.

        A sum is rounded in the order of its terms: so not even its last digit depends on the rows'.
        """
        tied = (self.closing != np.arange(len(self.order))).any()
        return np.lexsort((values, self.confidence)) if tied else self.order

    def _block_sums(
        self, values: Float[np.ndarray, "cases"], weights: Int[np.ndarray, "block cases"]
    ) -> Float[np.ndarray, "block bins"]:
        """Sum values and weights in the order of confidence, all rows as one long list."""
        num_rows, num_cases = weights.shape
        first = np.arange(num_rows)[:, None] * num_cases
        # Whole numbers are cumulated several times as fast as floats.
        num_counted = np.cumsum(weights, dtype=np.int64)
        ends = num_counted[num_cases - 1 :: num_cases, None]
        before = ends - np.diff(ends, axis=0, prepend=0)
        wanted = before + _even_edges(ends - before, self.num_bins)
        # The last case of each bin but the highest.
        cut = first + self.closing[np.searchsorted(num_counted, wanted) - first]
        starts = np.concatenate([first, cut], axis=1)
        weighted = (weights * values).ravel()
        whole = np.add.reduceat(weighted, starts.ravel()).reshape(starts.shape)
        # Between equal starts numpy gives the one case there; the sum of none is zero.
        whole[:, :-1][starts[:, 1:] == starts[:, :-1]] = 0.0
        # A bin may end with the list, where no sum can start: so sums start one case early.
        return whole + np.diff(weighted[cut], axis=1, prepend=0.0, append=0.0)

    def counts(self, weights: Weights) -> Float[np.ndarray, "*resamples bins"]:
        """Return how many cases each bin counts."""
        return self.sums(np.ones(len(self.order)), weights)

    def _inner(self) -> Int[np.ndarray, "edges"]:
        """Return how many of the sorted cases, counted once, lie below each inner edge."""
        return self.closing[_even_edges(len(self.order), self.num_bins) - 1] + 1

    def edges(self) -> Float[np.ndarray, "edges"]:
        """Return 0, the confidence midway between the neighbours of each inner edge, and 1."""
        inner, ascending = self._inner(), self.confidence[self.order]
        below, above = ascending[inner - 1], ascending[np.minimum(inner, len(ascending) - 1)]
        return np.concatenate([[0.0], (below + above) / 2, [1.0]])

    def numbers(self) -> Int[np.ndarray, "cases"]:
        """Return the number, from 0, of the bin that each case falls into, counted once."""
        num_cases = len(self.order)
        numbers = np.empty(num_cases, dtype=np.intp)
        numbers[self.order] = np.searchsorted(self._inner(), np.arange(num_cases), side="right")
        return numbers


def _even_edges(
    num_counted: Int[np.ndarray, "*resamples"] | int, num_bins: int
) -> Int[np.ndarray, "*resamples edges"]:
    """Return after how many cases the inner edges lie that part a list as evenly as it goes."""
    size, num_larger = np.divmod(num_counted, num_bins)
    inner = np.arange(1, num_bins)
    return inner * size + np.minimum(inner, num_larger)


def width_bins(confidence: Confidence, num_bins: int = NUM_BINS) -> WidthBins:
    """Divide cases into bins of equal width, closed on the right.

    >>> width_bins(np.array([0.0, 0.5, 0.51, 1.0]), num_bins=2).index
    array([0, 0, 1, 1])
    """
    require_confidence(confidence)
    require_num_bins(num_bins)
    index = np.empty(len(confidence), dtype=np.intp)
    # Block by block, so that what is computed on the way stays in cache: four times as fast.
    for start in range(0, len(confidence), BLOCK_CASES):
        block = np.asarray(confidence[start : start + BLOCK_CASES], dtype=np.float64)
        index[start : start + BLOCK_CASES] = _closing_edge(block, num_bins) - 1.0
    return WidthBins(index, num_bins)


def _closing_edge(confidence: Confidence, num_bins: int) -> Float[np.ndarray, "cases"]:
    """Return the number, from 1, of the edge that closes each confidence's bin."""
    scaled = confidence * num_bins
    edge = np.ceil(scaled)
    # The product may round across an edge by one unit in the last place: there, the edges decide.
    doubtful = np.flatnonzero(np.abs(edge - scaled - 0.5) > 0.5 - 1e-6)
    edges = np.arange(num_bins + 1) / num_bins
    edge[doubtful] = np.searchsorted(edges, confidence[doubtful], side="left")
    return np.maximum(edge, 1.0)


def mass_bins(confidence: Confidence, num_bins: int = NUM_BINS) -> MassBins:
    """Divide cases into bins of equally many cases, never parting equal confidences.

    >>> bins = mass_bins(np.array([0.9, 0.1, 0.5]), num_bins=2)
    >>> bins.counts(np.ones(3)), bins.edges()
    (array([2., 1.]), array([0. , 0.7, 1. ]))
    >>> mass_bins(np.array([0.9, 0.5, 0.5, 0.5]), num_bins=2).counts(np.ones(4))
    array([3., 1.])
    """
    require_confidence(confidence)
    require_num_bins(num_bins)
    confidence = np.asarray(confidence, dtype=np.float64)
    order = stable_order(confidence)
    last_of_equals = np.flatnonzero(np.append(np.diff(confidence[order]) > 0, True))
    # For each sorted case the place of the last that equals it.
    closing = np.repeat(last_of_equals, np.diff(last_of_equals, prepend=-1))
    return MassBins(confidence, order, closing, num_bins)


BIN_KINDS: dict[BinKind, Callable[[Confidence, int], Bins]] = {
    "width": width_bins,
    "mass": mass_bins,
}


def require_confidence(confidence: Confidence) -> None:
    """Raise `InputError` unless there is a case and every confidence lies in [0, 1].

    >>> require_confidence(np.array([0.5, 1.5]))
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: confidence must lie in [0, 1], got 0.5..1.5
    """
    if len(confidence) == 0:
        message = "a calibration error needs at least one case, got none"
        raise InputError(message)
    lowest, highest = confidence.min(), confidence.max()
    # A NaN compares false with everything, so it is refused too.
    if not (lowest >= 0 and highest <= 1):
        message = f"confidence must lie in [0, 1], got {lowest:g}..{highest:g}"
        raise InputError(message)


def require_num_bins(num_bins: int) -> None:
    """Raise `InputError` unless there is a bin."""
    if num_bins < 1:
        message = f"num_bins must be at least 1, got {num_bins}"
        raise InputError(message)
