"""Bins of equal mass along uncalibrated confidence, none with too few cases."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

MINIMUM_PER_BIN = 50
"""Below this a bin's accuracy is too uncertain to move a temperature by."""


def equal_mass_edges(
    scores: Float[np.ndarray, "cases"], num_bins: int, *, at_least: int = 1
) -> Float[np.ndarray, "edges"]:
    """Return the inner edges, at most ``num_bins - 1``, that part sorted scores evenly.

    Edges lie half-way between neighbours. Equal scores are never parted: an edge that would do so
    moves to the nearer end of them. Bins of fewer than ``at_least`` scores are gathered from the
    lowest upward until they hold as many; what remains at the top joins the bin below it.

    >>> equal_mass_edges(np.array([4.0, 1.0, 2.0, 3.0]), 2)
    array([2.5])
    >>> equal_mass_edges(np.array([1.0, 7.0, 7.0, 7.0]), 2)
    array([4.])
    >>> equal_mass_edges(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 5, at_least=2)
    array([2.5])
    """
    ordered = np.sort(scores)
    possible = 1 + np.flatnonzero(np.diff(ordered) > 0)
    if not len(possible):
        return np.empty(0)
    wanted = np.arange(1, num_bins) * len(ordered) // num_bins
    following = np.searchsorted(possible[1:-1], wanted) + 1
    before, after = possible[following - 1], possible[np.minimum(following, len(possible) - 1)]
    cuts = np.unique(np.where(wanted - before < after - wanted, before, after))
    cuts = _cuts_far_apart(cuts, len(ordered), at_least)
    below, above = ordered[cuts - 1], ordered[cuts]
    middle = 0.5 * (below + above)
    # Half-way between two neighbouring floats is one of them: it must not be the upper.
    return np.where(middle < above, middle, below)


def _cuts_far_apart(
    cuts: Int[np.ndarray, "edges"], num_cases: int, at_least: int
) -> Int[np.ndarray, "kept"]:
    kept: list[int] = []
    last = 0
    for cut in cuts.tolist():
        if cut - last >= at_least:
            kept.append(cut)
            last = cut
    if kept and num_cases - last < at_least:
        kept.pop()
    return np.array(kept, dtype=np.intp)


def bin_of(
    scores: Float[np.ndarray, "cases"], edges: Float[np.ndarray, "edges"]
) -> Int[np.ndarray, "cases"]:
    """Return each score's bin; a score on an edge belongs to the bin below.

    >>> bin_of(np.array([0.0, 1.0, 1.5]), np.array([1.0]))
    array([0, 0, 1])
    """
    return np.searchsorted(edges, scores, side="left")


def smoothed_accuracy(
    hits: Float[np.ndarray, "bins"],
    counts: Int[np.ndarray, "bins"],
    towards: float | Float[np.ndarray, "bins"] = 0.5,
) -> Float[np.ndarray, "bins"]:
    """Return accuracy as if two cases more had been seen, right at the rate ``towards``.

    By default (hits + 1) / (n + 2). Never 0 or 1, so that a temperature that attains it exists.

    >>> smoothed_accuracy(np.array([8.0]), np.array([8]))
    array([0.9])
    """
    return (hits + 2.0 * towards) / (counts + 2.0)
