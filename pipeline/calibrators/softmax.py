"""The softmax at a temperature of its own for every case, in blocks that stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from pipeline.shapes import Logits, LogProbabilities

BLOCK_ELEMENTS = 2**15
"""Numbers in a block (256 kB): intermediate tables never grow with the number of cases."""

SMALLEST_DOUBT = 2.0**-54
"""Stands for 1 - confidence where that rounds to zero: a quarter of a rounding step."""


def row_blocks(num_rows: int, num_columns: int) -> Iterator[slice]:
    """Cut the rows of a table into consecutive slices of about `BLOCK_ELEMENTS` numbers."""
    height = max(1, BLOCK_ELEMENTS // num_columns)
    for first in range(0, num_rows, height):
        yield slice(first, min(first + height, num_rows))


def log_softmax(
    logits: Logits, temperatures: float | Float[np.ndarray, "cases"] = 1.0
) -> LogProbabilities:
    r"""Return :math:`\log \mathrm{softmax}(z_i / T_i)` for every case.

    A row's result does not depend on the rows beside it, nor on the order of its classes: cases
    as sure of one class as of another tie to the last bit, at every temperature. Adding a constant
    to a row changes nothing as far as the sum itself is exact.

    Temperatures, one for all cases or one a case, are positive.

    >>> np.exp(log_softmax(np.array([[0.0, np.log(9.0)]]), 2.0)).round(12)
    array([[0.25, 0.75]])
    """
    result = np.empty(logits.shape)
    divisors = np.broadcast_to(temperatures, len(logits))
    highest = highest_logits(logits)
    for rows in row_blocks(*logits.shape):
        block = result[rows]
        np.subtract(logits[rows], highest[rows, None], out=block)
        block /= divisors[rows, None]
        block -= np.log(_sums_in_any_order(np.exp(block)))[:, None]
    return result


def confidence_log_odds(
    logits: Logits, highest: Float[np.ndarray, "cases"] | None = None
) -> Float[np.ndarray, "cases"]:
    r"""Return :math:`\log \frac{c_i}{1 - c_i}`, with confidence :math:`c_i = \max_k p_{ik}`.

    It orders cases as their confidence does, without crowding those close to one. It is the same
    function of the same rounded sum as `log_softmax`, so that equal confidences get equal log-odds.
    ``highest`` are the largest logits, (n,), where they are known.

    >>> confidence_log_odds(np.array([[0.0, 2.0], [5.0, 4.0]]))
    array([2., 1.])
    """
    highest = highest_logits(logits) if highest is None else highest
    totals = np.empty(len(logits))
    for rows in row_blocks(*logits.shape):
        gaps = logits[rows] - highest[rows, None]
        totals[rows] = _sums_in_any_order(np.exp(gaps, out=gaps))
    return -np.log(np.maximum(totals - 1.0, SMALLEST_DOUBT))


def exponential_moments(
    logits: Logits,
    highest: Float[np.ndarray, "cases"],
    cases: Int[np.ndarray, "chosen"],
    inverse_temperatures: Float[np.ndarray, "chosen"],
    num_moments: int,
) -> Float[np.ndarray, "moments chosen"]:
    r"""Return :math:`\sum_k g_{ik}^m e^{\beta_i g_{ik}}`, with :math:`g_{ik} = z_{ik} - \max z_i`.

    Parameters
    ----------
    highest : float array, (n,)
        The largest logit of each case.
    cases : int array, (chosen,)
        Ascending indices of the cases to evaluate.
    inverse_temperatures : float array, (chosen,)
        One :math:`\beta = 1/T` for each chosen case.
    num_moments : int
        Moments ``m = 0 .. num_moments - 1`` are returned, one row each, computed in the precision
        of the logits.
    """
    moments = np.empty((num_moments, len(cases)))
    every_case = len(cases) == len(logits)
    inverse = inverse_temperatures.astype(logits.dtype, copy=False)
    for rows in row_blocks(len(cases), logits.shape[1]):
        chosen = rows if every_case else cases[rows]
        gaps = logits[chosen] - highest[chosen, None]
        weights = gaps * inverse[rows, None]
        np.exp(weights, out=weights)
        moments[0, rows] = row_sums(weights)
        for order in range(1, num_moments):
            if order > 1:
                weights *= gaps
            moments[order, rows] = np.einsum("ij,ij->i", weights, gaps)
    return moments


def _sums_in_any_order(table: Float[np.ndarray, "cases classes"]) -> Float[np.ndarray, "cases"]:
    """Return each row's sum, the same bits in whatever order its numbers stand; sorts the table."""
    # Of two numbers either order gives the same sum.
    if table.shape[1] > 2:
        table.sort(axis=1)
    return row_sums(table)


def row_sums(table: Float[np.ndarray, "cases classes"]) -> Float[np.ndarray, "cases"]:
    """Return each row's sum, (n,): with few columns four times as fast as ``table.sum(axis=1)``."""
    return np.einsum("ij->i", table)


def highest_logits(logits: Logits) -> Float[np.ndarray, "cases"]:
    """Return the largest logit of each case, (n,)."""
    result = np.empty(len(logits))
    for rows in row_blocks(*logits.shape):
        # A few long columns are compared several times faster than many short rows.
        np.ascontiguousarray(logits[rows].T).max(axis=0, out=result[rows])
    return result
