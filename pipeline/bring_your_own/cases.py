"""From columns to predictions: what each is called, what it must hold, and what is made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from pipeline.artifacts import Predictions
from pipeline.bring_your_own.columns import Columns, read_columns, rows_text
from pipeline.bring_your_own.npz_file import CLASSES
from pipeline.csv_table import other_columns
from pipeline.errors import InputError, located
from pipeline.metrics.cases import SUM_TOLERANCE
from pipeline.metrics.group_shares import group_names
from pipeline.metrics.groups import age_bands
from pipeline.shapes import Labels, Probabilities

KINDS = {"logits": "logit_", "probabilities": "probability_"}
"""What a file may give: an array of that name, or one column a class with that beginning."""

GROUP = "group_"
NUMBER = re.compile(r"-?[0-9]{1,9}")
"""A label that may be a class's number."""

AGE = "age"
"""A group column of this name holds years and is read in bands."""


@dataclass(frozen=True)
class Given:
    """One file's cases.

    Attributes
    ----------
    path : Path
    predictions : Predictions
        Probabilities stand as their logarithms; patients are numbered where none are given.
    classes : tuple of str
        Names in the order of the columns.
    kind : "logits" or "probabilities"
        What the file held.
    names_patients : bool
        Whether the file says whose each case is.
    num_zeros : int
        Probabilities of exactly 0, which were read as the smallest there is.
    """

    path: Path
    predictions: Predictions
    classes: tuple[str, ...]
    kind: str
    names_patients: bool
    num_zeros: int


def read_given(path: Path, groups: Sequence[str] = ()) -> Given:
    """Return the cases in a CSV, Parquet or npz file.

    Columns ``logit_CLASS`` or ``probability_CLASS``, one a class, or an array ``logits`` or
    ``probabilities``, (cases, classes), with the optional ``classes``; ``label``, a class's name or
    its number from 0; optional ``case``, ``patient`` and the named group columns, or else all that
    begin with ``group_``. ``labels``, ``cases`` and ``patients`` do as well.

    Raises
    ------
    InputError
        Naming the file and the column that is missing or not what it must be.
    """
    columns = read_columns(path)
    kind, classes, matrix = _read_matrix(columns)
    num_zeros = 0
    if kind == "probabilities":
        require_probabilities(path, matrix)
        num_zeros = int((matrix == 0).sum())
        # The logarithm of 0 is not finite; the smallest positive number is as good as never.
        matrix = np.log(np.maximum(matrix, np.finfo(np.float64).tiny))
    labels = _read_labels(columns, classes)
    cases = _read_cases(columns, len(labels))
    patient = columns.first("patient", "patients")
    with located(path):
        predictions = Predictions(
            logits=matrix,
            labels=labels,
            cases=cases,
            patients=cases if patient is None else columns.text(patient),
            groups=_read_groups(columns, groups),
        )
    return Given(path, predictions, classes, kind, patient is not None, num_zeros)


def require_probabilities(path: Path, matrix: Probabilities) -> None:
    """Raise `InputError` unless every value lies in [0, 1] and every row sums to one."""
    outside = np.asarray(((matrix < 0) | (matrix > 1)).any(axis=1))
    if outside.any():
        message = f"{path}: probabilities must lie in [0, 1], got others in {rows_text(outside)}"
        raise InputError(message)
    sums = matrix.sum(axis=1)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE
    if wrong.any():
        message = (
            f"{path}: probabilities of a row must sum to one, got {sums[wrong][0]:g} "
            f"in {rows_text(wrong)}"
        )
        raise InputError(message)


def _read_matrix(columns: Columns) -> tuple[str, tuple[str, ...], Float[np.ndarray, "n classes"]]:
    """Return the kind of numbers, the classes' names and the numbers, one column a class."""
    found = {kind: _matrix_columns(columns, kind, prefix) for kind, prefix in KINDS.items()}
    kinds = [kind for kind, names in found.items() if names]
    if len(kinds) != 1:
        others = other_columns(columns.path, len(columns))
        message = (
            f"{columns.path}: columns logit_CLASS or probability_CLASS (or an array logits or "
            f"probabilities) expected, got {'both' if kinds else others}"
        )
        raise InputError(message)
    kind, names = kinds[0], found[kinds[0]]
    parts = [columns.finite(name) for name in names]
    matrix = np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)
    if matrix.shape[1] < 2:
        message = f"{columns.path}: {kind} of two classes or more expected, got '{names[0]}' alone"
        raise InputError(message)
    if names == [kind]:
        return kind, _array_classes(columns, matrix.shape[1]), matrix
    return kind, tuple(name.removeprefix(KINDS[kind]) for name in names), matrix


def _matrix_columns(columns: Columns, kind: str, prefix: str) -> list[str]:
    if kind in [*columns]:
        return [kind]
    return [name for name in columns if name.startswith(prefix)]


def _array_classes(columns: Columns, num_classes: int) -> tuple[str, ...]:
    if CLASSES not in columns.arrays or columns.path.suffix.lower() != ".npz":
        return tuple(str(number) for number in range(num_classes))
    classes = tuple(columns.text(CLASSES))
    if not len(set(classes)) == len(classes) == num_classes:
        message = (
            f"{columns.path}: array '{CLASSES}': {num_classes} names that differ expected, "
            f"got {len(set(classes))} in {len(classes)} rows"
        )
        raise InputError(message)
    return classes


def _read_labels(columns: Columns, classes: Sequence[str]) -> Labels:
    name = columns.require("label", "labels")
    text = columns.text(name)
    with located(f"{columns.path}: column '{name}'"):
        numbers = {name: number for number, name in enumerate(classes)}
        if not set(text) <= set(numbers):
            numbers = _numbered(text, classes)
        labels = np.array([numbers[each] for each in text], dtype=np.int64)
        if len(np.unique(labels)) < 2:
            message = f"cases of two classes or more expected, got '{classes[labels[0]]}' alone"
            raise InputError(message)
    return labels


def _numbered(text: np.ndarray, classes: Sequence[str]) -> dict[str, int]:
    """Return the class that each label is the number of."""
    numbers = {each: int(each) for each in set(text) if NUMBER.fullmatch(each)}
    if len(numbers) < len(set(text)):
        strange = np.array([each not in classes for each in text])
        message = (
            f"one of the classes {', '.join(classes)} or a number from 0 expected, "
            f"got something else in {rows_text(strange)}"
        )
        raise InputError(message)
    outside = np.array([not 0 <= numbers[each] < len(classes) for each in text])
    if outside.any():
        message = f"labels must lie in [0, {len(classes)}), got others in {rows_text(outside)}"
        raise InputError(message)
    return numbers


def _read_cases(columns: Columns, num_cases: int) -> np.ndarray:
    name = columns.first("case", "cases")
    if name is None:
        return np.array([f"row {number}" for number in range(1, num_cases + 1)], dtype=object)
    cases = columns.text(name)
    repeated = pd.Series(cases).duplicated().to_numpy()
    if repeated.any():
        message = (
            f"{columns.path}: column '{name}': every case once expected, "
            f"got one again in {rows_text(repeated)}"
        )
        raise InputError(message)
    return cases


def _read_groups(columns: Columns, groups: Sequence[str]) -> pd.DataFrame:
    chosen = groups or [name for name in columns if name.startswith(GROUP)]
    table = {}
    for group in chosen:
        name = columns.require(group, f"{GROUP}{group}")
        values = columns.one_axis(name)
        if group.removeprefix(GROUP) == AGE:
            table["age_band"] = group_names(age_bands(columns.numbers(name)))
        else:
            named = pd.Series(values, dtype=object)
            table[group.removeprefix(GROUP)] = group_names(named.mask(named == "", None).array)
    return pd.DataFrame(table, index=range(len(next(iter(columns.arrays.values())))))


def require_same_classes(first: Given, second: Given) -> None:
    """Raise `InputError` unless two files speak of the same classes in the same order."""
    if first.classes != second.classes:
        message = (
            f"{second.path}: the classes of {first.path} expected ({', '.join(first.classes)}), "
            f"got {', '.join(second.classes)}"
        )
        raise InputError(message)


def require_other_patients(first: Given, second: Given) -> None:
    """Raise `InputError` if a patient has cases in both files, as far as both name patients."""
    if not (first.names_patients and second.names_patients):
        return
    shared = np.isin(second.predictions.patients, first.predictions.patients)
    if shared.any():
        message = (
            f"{second.path}: other patients than in {first.path} expected, "
            f"got some of them in {rows_text(shared)}"
        )
        raise InputError(message)


def take(predictions: Predictions, chosen: np.ndarray) -> Predictions:
    """Return some cases of predictions: those where `chosen` is true."""
    return Predictions(
        logits=predictions.logits[chosen],
        labels=predictions.labels[chosen],
        cases=predictions.cases[chosen],
        patients=predictions.patients[chosen],
        groups=predictions.groups[chosen].reset_index(drop=True),
    )
