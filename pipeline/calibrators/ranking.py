"""How far calibration changes which cases come first."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from pipeline.shapes import require_same_length


def rank_inversions(before: Float[np.ndarray, "cases"], after: Float[np.ndarray, "cases"]) -> int:
    """Count the pairs of cases that ``before`` and ``after`` order in opposite ways.

    Pairs tied in either do not count. Zero means that the risk-coverage curve has not changed but
    for ties; ``n (n - 1) / 2`` that the order is reversed. O(n log n).

    `before` and `after` are the confidence of each case, before and after calibration.

    Raises `InputError` if the two have different lengths.

    Of three pairs only (0.7, 0.8) is swapped:

    >>> rank_inversions(np.array([0.6, 0.7, 0.8]), np.array([0.5, 0.9, 0.8]))
    1
    """
    require_same_length(before=before, after=after)
    order = np.lexsort((after, before))
    _, ranks = np.unique(after, return_inverse=True)
    return _inversions(ranks[order])


def _inversions(sequence: Int[np.ndarray, "cases"]) -> int:
    """Count pairs out of ascending order, one binary digit at a time from the highest.

    Numbers that agree in all higher digits stand together in their first order; there each zero
    counts the ones before it.
    """
    total, values = 0, sequence
    for digit in reversed(range(int(sequence.max(initial=0)).bit_length())):
        prefix, is_one = values >> (digit + 1), (values >> digit) & 1
        ones_before = np.cumsum(is_one) - is_one
        first_of_prefix = np.searchsorted(prefix, prefix, side="left")
        total += int(((ones_before - ones_before[first_of_prefix]) * (1 - is_one)).sum())
        values = values[np.argsort(values >> digit, kind="stable")]
    return total
