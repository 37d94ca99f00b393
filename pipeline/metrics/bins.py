"""Bins of confidence: of equal width or of equal mass, summed for many resamples at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Float, Int

from pipeline.errors import InputError
from pipeline.metrics.weighting import BLOCK_ELEMENTS, Confidence, Weights, sums_by_bin

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
    """Bins of equally many cases: the list sorted by confidence, split as ``numpy.array_split``.

    With n cases the first ``n mod B`` bins hold one case more than the others. The sort is stable,
    so among equal confidences that straddle a boundary those that come first in the input fall into
    the lower bin. A case that counts several times stands as often in the list, side by side.
    """

    order: Int[np.ndarray, "cases"]
    sorted_confidence: Confidence
    num_bins: int

    def sums(
        self, values: Float[np.ndarray, "cases"], weights: Weights
    ) -> Float[np.ndarray, "*resamples bins"]:
        """Return the weighted sum of the values in each bin; zero in an empty one."""
        ordered, rows = values[self.order], weights.reshape(-1, weights.shape[-1])
        sums = np.empty((len(rows), self.num_bins))
        # A few resamples at a time, so that what is gathered of them stays in cache.
        step = max(1, BLOCK_ELEMENTS // len(ordered))
        for start in range(0, len(rows), step):
            # Whole numbers are cumulated several times as fast as floats.
            counts = rows[start : start + step].astype(np.int64)
            block = np.take(counts, self.order, axis=1)
            sums[start : start + step] = self._block_sums(ordered, block)
        return sums.reshape(*weights.shape[:-1], self.num_bins)

    def _block_sums(
        self, values: Float[np.ndarray, "cases"], weights: Int[np.ndarray, "block cases"]
    ) -> Float[np.ndarray, "block bins"]:
        """Sum values and weights in the order of confidence, all rows as one long list."""
        num_rows, num_cases = weights.shape
        first = np.arange(num_rows)[:, None] * num_cases
        num_counted = np.cumsum(weights)
        ends = num_counted[num_cases - 1 :: num_cases, None]
        before = ends - np.diff(ends, axis=0, prepend=0)
        # A boundary may cut the repeats of one case, which then belong to both bins.
        boundaries = before + self._boundaries(ends - before)[:, 1:-1]
        cut = np.maximum(np.searchsorted(num_counted, boundaries), first)
        starts = np.concatenate([first, cut], axis=1)
        whole = np.add.reduceat((weights * values).ravel(), starts.ravel()).reshape(starts.shape)
        # Between equal starts numpy gives the one case there; the sum of none is zero.
        whole[:, :-1][starts[:, 1:] == starts[:, :-1]] = 0.0
        num_left = boundaries - num_counted[cut] + weights.ravel()[cut]
        left_of_cut = num_left * values[cut - first]
        return whole + np.diff(left_of_cut, axis=1, prepend=0.0, append=0.0)

    def counts(self, weights: Weights) -> Float[np.ndarray, "*resamples bins"]:
        """Return how many cases each bin counts."""
        return np.diff(self._boundaries(weights.sum(axis=-1, keepdims=True)), axis=-1)

    def _boundaries(
        self, num_counted: Float[np.ndarray, "*resamples"] | float
    ) -> Float[np.ndarray, "*resamples edges"]:
        size, num_larger = np.divmod(num_counted, self.num_bins)
        bins = np.arange(self.num_bins + 1)
        return bins * size + np.minimum(bins, num_larger)

    def edges(self) -> Float[np.ndarray, "edges"]:
        """Return 0, the confidence midway between neighbours of each boundary, and 1."""
        num_cases = len(self.order)
        inner = self._boundaries(num_cases)[1:-1].astype(int)
        below = self.sorted_confidence[np.clip(inner - 1, 0, num_cases - 1)]
        above = self.sorted_confidence[np.clip(inner, 0, num_cases - 1)]
        return np.concatenate([[0.0], (below + above) / 2, [1.0]])

    def numbers(self) -> Int[np.ndarray, "cases"]:
        """Return the number, from 0, of the bin that each case falls into, counted once."""
        num_cases = len(self.order)
        inner = self._boundaries(num_cases)[1:-1]
        numbers = np.empty(num_cases, dtype=np.intp)
        numbers[self.order] = np.searchsorted(inner, np.arange(num_cases), side="right")
        return numbers


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
    """Divide cases into bins of equally many cases.

    >>> bins = mass_bins(np.array([0.9, 0.1, 0.5]), num_bins=2)
    >>> bins.counts(np.ones(3)), bins.edges()
    (array([2., 1.]), array([0. , 0.7, 1. ]))
    """
    require_confidence(confidence)
    require_num_bins(num_bins)
    order = np.argsort(confidence, kind="stable")
    return MassBins(order, np.asarray(confidence, dtype=np.float64)[order], num_bins)


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
