"""Whose a case is, however a spreadsheet wrote it, and that no case is in two files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy.special import softmax
from scipy.stats import binom

from pipeline.artifacts import Predictions
from pipeline.bring_your_own.columns import rows_text
from pipeline.errors import InputError
from pipeline.identifiers import is_rounded, plain_identifier
from pipeline.shapes import Logits

BY_CHANCE = 1e-4
"""Rows of logits that two files share are refused where chance would not share so many."""

COARSE_DECIMALS = 4
"""Logits of no more decimals are equal by chance."""

FLOAT32_VALUES = 2.0**22
"""Values that a float32 takes about as often; logits are at least as fine."""

DECIMALS = (3, 5)
"""To which probabilities are compared: of three what was rounded is found, of five two classes."""

UNLIKELY = 0.01
"""Pairs of equal rows that chance may make, where a single one is taken for the same case."""


def plain_identifiers(texts: np.ndarray, place: str) -> np.ndarray:
    """Return a column of identifiers in plain form; `InputError` if a spreadsheet rounded one."""
    plain = {each: plain_identifier(each) for each in set(texts.tolist())}
    rounded = np.array([is_rounded(plain[each]) for each in texts.tolist()])
    if rounded.any():
        message = (
            f"{place}: identifiers in full expected, got numbers that a spreadsheet rounded in "
            f"{rows_text(rounded)}"
        )
        raise InputError(message)
    return np.array([plain[each] for each in texts.tolist()], dtype=object)


def require_disjoint(ours: Iterable[str], theirs: np.ndarray, words: str, path: Path) -> None:
    """Raise `InputError` if any of the second file's identifiers is among those of the first.

    `words` say what was expected.
    """
    known = set(ours)
    shared = np.array([each in known for each in theirs.tolist()], dtype=bool)
    if shared.any():
        message = f"{path}: {words} expected, got some of them in {rows_text(shared)}"
        raise InputError(message)


def shared_rows(first: Predictions, second: Predictions) -> np.ndarray:
    """Return which rows of the second's logits are, to a float32's bit, rows of the first's."""
    known = {row.tobytes() for row in _rows(first.logits)}
    return np.array([row.tobytes() in known for row in _rows(second.logits)], dtype=bool)


def num_repeated(predictions: Predictions) -> int:
    """Return how many rows of logits repeat, to the bit of a float32, a row before them."""
    return len(predictions) - len({row.tobytes() for row in _rows(predictions.logits)})


def is_leak(first: Predictions, second: Predictions, *, are_logits: bool) -> bool:
    """Return whether cases of one file are in the other, told by equal rows of logits.

    Where chance makes no equal rows (see `are_distinct`) a single one is enough. Elsewhere, of all
    rows that are there just twice about half should be in both files, since that is how chance
    deals them out, and a leak puts all of them in both.
    """
    shared = shared_rows(first, second)
    if not shared.any():
        return False
    num_pairs = len(first) * len(second)
    if are_logits and are_distinct(second.logits[shared], num_pairs):
        return True
    counts = [Counter(row.tobytes() for row in _rows(each.logits)) for each in (first, second)]
    return counts[0] == counts[1] or _more_than_chance(*counts)


def alike_rows(first: Predictions, second: Predictions) -> np.ndarray | None:
    """Return which rows of the second's probabilities are rows of the first's but for rounding.

    None where chance would make as many. So are found the same cases with other decimals, with
    logits moved by a constant, and as logits in one file and probabilities in the other.
    """
    for decimals in DECIMALS:
        rows = [[row.tobytes() for row in _rounded(each.logits, decimals)]
                for each in (first, second)]  # fmt: skip
        counts = [Counter(each) for each in rows]
        if _more_than_chance(*counts):
            return np.array([row in counts[0] for row in rows[1]], dtype=bool)
    return None


def _more_than_chance(first: Counter[bytes], second: Counter[bytes]) -> bool:
    """Return whether both files hold more of the rows that are there just twice than by chance."""
    twice = [row for row, count in (first + second).items() if count == 2]
    parted = sum(first[row] == 1 for row in twice)
    sizes = (first.total(), second.total(), first.total() + second.total())
    chance = 2 * sizes[0] * sizes[1] / (sizes[2] * (sizes[2] - 1))
    return bool(binom.sf(parted - 1, len(twice), chance) < BY_CHANCE)


def are_distinct(logits: Logits, num_pairs: int) -> bool:
    """Return whether chance makes no two equal rows among so many pairs of them.

    Rows of K logits hold at least K - 1 free numbers. Those of two classes are often one number and
    its negative, of which float32 has so few values that thousands of cases share some.

    >>> three, two = np.array([[0.123456, 1.0, 0.5]]), np.array([[0.123456, 1.0]])
    >>> are_distinct(three, 10**10), are_distinct(two, 10**10), are_distinct(three.round(4), 100)
    (True, False, False)
    """
    by_chance = num_pairs / FLOAT32_VALUES ** (logits.shape[1] - 1)
    return by_chance < UNLIKELY and bool((np.round(logits, COARSE_DECIMALS) != logits).any())


def _rounded(logits: Logits, decimals: int) -> np.ndarray:
    return np.rint(10.0**decimals * softmax(logits, axis=1)).astype(np.int32)


def _rows(logits: Logits) -> Logits:
    # In float32, since one file may hold those and the other their decimals. Adding zero makes of
    # minus zero, which has other bits, zero; what is too large for float32 is infinite.
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(logits, dtype=np.float32) + np.float32(0.0)
