"""The columns of a model's output: which they are, of which classes, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.bring_your_own.columns import Columns, rows_text
from pipeline.bring_your_own.npz_file import CLASSES
from pipeline.csv_table import other_columns
from pipeline.errors import InputError
from pipeline.metrics.cases import SUM_TOLERANCE
from pipeline.shapes import Probabilities

KINDS = {"logits": "logit_", "probabilities": "probability_"}
"""What a file may give: an array of that name, or one column a class with that beginning."""

HALF_A_DIGIT = 0.0005
"""By how much a probability of three decimals misses what it was rounded from."""

EXACT = 1e-6
"""Sums as near to one as this are one, but for the rounding of float32."""


@dataclass(frozen=True)
class Outputs:
    """A model's output for each case."""

    kind: str
    matrix: Float[np.ndarray, "cases classes"]
    """Logits, or the logarithms of probabilities."""
    classes: tuple[str, ...]
    """Names in the order of the columns; the first is empty where `pair` is true."""
    named: bool
    """Whether each class has a column of its own, which may hold something else."""
    pair: bool = False
    """Whether one column of a sigmoid's output was made two: the first class has no name yet."""
    num_zeros: int = 0
    """Probabilities of exactly 0, which are read as the smallest there is."""
    num_rescaled: int = 0
    """Rows of probabilities that were divided by their sum."""


def read_outputs(columns: Columns, chosen: Sequence[str] = ()) -> Outputs:
    """Return a model's output in a file: of the chosen classes, or of all that have a column.

    Raises `InputError`, naming the file and the column, if there are no such columns, two kinds of
    them, a logit alone, or values that are not what their kind must be.
    """
    kind, names = _matrix_columns(columns)
    is_array = names == [columns.first(kind)]
    if chosen and not is_array:
        names = _chosen(columns, names, KINDS[kind], chosen)
    parts = [columns.finite(name) for name in names]
    matrix = np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)
    if is_array:
        classes = _array_classes(columns, matrix.shape[1], chosen)
    else:
        classes = tuple(_class_of(name, KINDS[kind]) for name in names)
    if kind == "logits":
        _require_logits(columns, matrix, names[0])
        return Outputs(kind, matrix, classes, named=not is_array)
    pair = matrix.shape[1] == 1
    if pair:
        matrix = np.concatenate([1.0 - matrix, matrix], axis=1)
        classes = classes if len(classes) == 2 else ("", *classes)
    scaled, num_rescaled = _rescaled(columns, matrix)
    num_zeros = int((scaled == 0).sum())
    # The logarithm of 0 is not finite; the smallest positive number is as good as never.
    logarithms = np.log(np.maximum(scaled, np.finfo(np.float64).tiny))
    return Outputs(kind, logarithms, classes, not is_array, pair, num_zeros, num_rescaled)


def sum_tolerance(num_classes: int) -> float:
    """Return by how much a row of probabilities may miss one: as three decimals a class may.

    >>> sum_tolerance(2), sum_tolerance(10)
    (0.001, 0.005)
    """
    return max(SUM_TOLERANCE, num_classes * HALF_A_DIGIT)


def _matrix_columns(columns: Columns) -> tuple[str, list[str]]:
    """Return the kind of numbers, and the columns that hold them."""
    found = {}
    for kind, prefix in KINDS.items():
        array = columns.first(kind)
        own = [each for each in columns if each.strip().casefold().startswith(prefix)]
        found[kind] = own if array is None else [array]
    kinds = [kind for kind, names in found.items() if names]
    if len(kinds) != 1:
        others = other_columns(columns.path, len(columns))
        message = (
            f"{columns.path}: columns logit_CLASS or probability_CLASS (or an array logits or "
            f"probabilities) expected, got {'both' if kinds else others}"
        )
        raise InputError(message)
    return kinds[0], found[kinds[0]]


def _class_of(name: str, prefix: str) -> str:
    return name.strip()[len(prefix) :].strip()


def _chosen(columns: Columns, names: list[str], prefix: str, chosen: Sequence[str]) -> list[str]:
    known = {_class_of(name, prefix): name for name in names}
    absent = [each for each in chosen if each not in known]
    if absent:
        message = (
            f"{columns.path}: a column {prefix}CLASS for each of the chosen classes expected, got "
            f"none for {', '.join(absent)}"
        )
        raise InputError(message)
    return [known[each] for each in known if each in chosen]


def _array_classes(columns: Columns, num_columns: int, chosen: Sequence[str]) -> tuple[str, ...]:
    """Return the classes of an array's columns; of a single column, both classes'."""
    num_classes = max(num_columns, 2)
    if CLASSES in columns.arrays and columns.path.suffix.lower() == ".npz":
        classes, source = tuple(columns.text(CLASSES)), f"array '{CLASSES}'"
    else:
        classes = tuple(chosen) or tuple(str(number) for number in range(num_classes))
        source = "the chosen classes"
    if not len(set(classes)) == len(classes) == num_classes:
        message = (
            f"{columns.path}: {source}: {num_classes} names that differ expected, "
            f"got {len(set(classes))} in {len(classes)} rows"
        )
        raise InputError(message)
    return classes


def _require_logits(columns: Columns, matrix: Float[np.ndarray, "n k"], name: str) -> None:
    """Raise `InputError` for a logit alone, and for probabilities that are called logits."""
    if matrix.shape[1] < 2:
        message = (
            f"{columns.path}: logits of two classes or more expected, got '{name}' alone: give a "
            "sigmoid's output as probability_CLASS"
        )
        raise InputError(message)
    tolerance, sums = sum_tolerance(matrix.shape[1]), matrix.sum(axis=1)
    for total, words in ((1.0, "in [0, 1] that sum to one"), (100.0, "of percents")):
        inside = (matrix.min() >= 0) and (matrix.max() <= total)
        if inside and (np.abs(sums / total - 1.0) <= tolerance).all():
            message = (
                f"{columns.path}: column '{name}': logits expected, got rows {words} throughout: "
                "call probabilities probability_CLASS"
            )
            raise InputError(message)


def _rescaled(columns: Columns, matrix: Probabilities) -> tuple[Probabilities, int]:
    """Return rows of probabilities that sum to one, and how many were divided by their sum."""
    outside = np.asarray(((matrix < 0) | (matrix > 1)).any(axis=1))
    if outside.any():
        message = (
            f"{columns.path}: probabilities must lie in [0, 1], got others in {rows_text(outside)}"
        )
        raise InputError(message)
    # Sorted, so that the same numbers in another order of classes are divided by the same sum.
    sums, tolerance = np.sort(matrix, axis=1).sum(axis=1), sum_tolerance(matrix.shape[1])
    # A sum that misses by the tolerance itself is written so, and rounded once more.
    wrong = np.abs(sums - 1) > tolerance + EXACT
    if wrong.any():
        message = (
            f"{columns.path}: probabilities of a row must sum to one within {tolerance:g}, got "
            f"{sums[wrong][0]:g} in {rows_text(wrong)}"
        )
        raise InputError(message)
    inexact = np.abs(sums - 1) > EXACT
    return np.where(inexact[:, None], matrix / sums[:, None], matrix), int(inexact.sum())
