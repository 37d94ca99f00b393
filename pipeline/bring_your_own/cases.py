"""From columns to predictions: one file's cases, and two files that must not share any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.artifacts import GROUP, Predictions
from pipeline.bring_your_own.class_columns import KINDS, Outputs, read_outputs
from pipeline.bring_your_own.columns import Columns, read_columns, rows_text
from pipeline.bring_your_own.group_columns import read_group
from pipeline.bring_your_own.identifiers import (
    alike_rows,
    is_leak,
    plain_identifiers,
    require_disjoint,
    shared_rows,
)
from pipeline.bring_your_own.labels import both_named, class_numbers, label_column
from pipeline.errors import InputError, located
from pipeline.hashes import file_digest
from pipeline.identifiers import cell_text
from pipeline.shapes import Labels


@dataclass(frozen=True)
class Given:
    """One file's cases."""

    path: Path
    predictions: Predictions
    """Probabilities stand as their logarithms. Patients are in the form of `plain_identifier`;
    numbered where none are given."""
    outputs: Outputs
    """What the file held of the model."""
    names_patients: bool
    names_cases: bool
    """Whether the file says whose each case is, and which."""
    separator: str
    """What parts the cells of a CSV file."""
    num_respelt: int
    """Labels that are a class's name or number but for spaces, case or decimals."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the columns."""
        return self.outputs.classes


def read_all(
    paths: Sequence[Path], groups: Sequence[str] = (), chosen: Sequence[str] = ()
) -> list[Given]:
    """Return the cases in CSV, Parquet or npz files of one model.

    Columns ``logit_CLASS`` or ``probability_CLASS``, one a class, or an array ``logits`` or
    ``probabilities``, (cases, classes), with the optional ``classes``; one column of probabilities
    is a sigmoid's and makes two. ``label``, a class's name or its number from 0, decided once for
    all files; optional ``case`` and ``patient``. ``labels``, ``cases`` and ``patients`` do as well.

    Raises `InputError`, naming the file and the column that is missing or not what it must be.

    Parameters
    ----------
    groups : sequence of str
        Columns of the first file to break down by; those that begin with ``group_`` if none is
        named. Of the others no groups are read.
    chosen : sequence of str
        The classes, where other columns begin like theirs or a class has no case.
    """
    tables = [read_columns(path) for path in paths]
    outputs = [read_outputs(columns, chosen) for columns in tables]
    labels = [label_column(columns) for columns in tables]
    texts = [text for _, text in labels]
    places = [f"{path}: column '{name}'" for path, (name, _) in zip(paths, labels, strict=True)]
    outputs = [both_named(each, texts, place) for each, place in zip(outputs, places, strict=True)]
    require_same_classes(paths, outputs)
    numbers = class_numbers(texts, outputs[0].classes, places)
    if not chosen:
        _require_cases_of_each(paths[0], outputs[0], numbers)
    read = [_read_groups(tables[0], groups), *(_no_groups(each) for each in numbers[1:])]
    return [_given(*each) for each in zip(tables, outputs, numbers, read, strict=True)]


def _given(columns: Columns, outputs: Outputs, labels: Labels, groups: pd.DataFrame) -> Given:
    case, patient = columns.first("case", "cases"), columns.first("patient", "patients")
    cases = _read_cases(columns, case, len(labels))
    patients = cases if patient is None else _identifiers(columns, patient)
    with located(columns.path):
        predictions = Predictions(
            logits=outputs.matrix,
            labels=labels,
            cases=cases,
            patients=patients,
            groups=groups,
        )
    return Given(
        columns.path,
        predictions,
        outputs,
        patient is not None,
        case is not None,
        columns.separator,
        _num_respelt(columns, outputs.classes),
    )


def _num_respelt(columns: Columns, classes: Sequence[str]) -> int:
    """Return how many labels are no class's name or number to the letter."""
    known = {*classes, *(str(number) for number in range(len(classes)))}
    values = columns.one_axis(columns.require("label", "labels"))
    return sum(cell_text(value) not in known for value in values.tolist())


def _identifiers(columns: Columns, name: str) -> np.ndarray:
    return plain_identifiers(columns.text(name), f"{columns.path}: column '{name}'")


def _read_cases(columns: Columns, name: str | None, num_cases: int) -> np.ndarray:
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
    read = [read_group(columns, columns.require(each, f"{GROUP}{each}")) for each in chosen]
    return pd.DataFrame(dict(read), index=range(len(next(iter(columns.arrays.values())))))


def _no_groups(labels: Labels) -> pd.DataFrame:
    return pd.DataFrame(index=range(len(labels)))


def _require_cases_of_each(path: Path, outputs: Outputs, numbers: Sequence[Labels]) -> None:
    """Raise `InputError` if a column is of no case's class: it may hold something else."""
    if not outputs.named:
        return
    seen = set(np.concatenate(numbers).tolist())
    absent = [name for number, name in enumerate(outputs.classes) if number not in seen]
    if absent:
        prefix, first = KINDS[outputs.kind], absent[0]
        message = (
            f"{path}: a case of each class expected, got none of {', '.join(absent)}: if "
            f"{prefix}{first} is no class, or a class without cases, name the classes with "
            "--classes"
        )
        raise InputError(message)


def require_same_classes(paths: Sequence[Path], outputs: Sequence[Outputs]) -> None:
    """Raise `InputError` unless all files speak of the same classes in the same order."""
    for path, each in zip(paths, outputs, strict=True):
        if each.classes != outputs[0].classes:
            message = (
                f"{path}: the classes of {paths[0]} expected ({', '.join(outputs[0].classes)}), "
                f"got {', '.join(each.classes)}"
            )
            raise InputError(message)


def require_other_files(first: Path, second: Path) -> None:
    """Raise `InputError` if two files are one, or hold the same bytes."""
    if file_digest(first) == file_digest(second):
        message = f"{second}: other cases than in {first} expected, got the same file"
        raise InputError(message)


def require_other_cases(first: Given, second: Given) -> None:
    """Raise `InputError` if two files share patients, cases or rows, as far as they tell.

    See `is_leak` for the rows that are equal by chance.
    """
    path = second.path
    if first.names_patients and second.names_patients:
        words = f"other patients than in {first.path}"
        require_disjoint(
            first.predictions.patients.tolist(), second.predictions.patients, words, path
        )
    if first.names_cases and second.names_cases:
        ours, theirs = (
            plain_identifiers(each.predictions.cases, f"{each.path}: the cases")
            for each in (first, second)
        )
        words = f"other cases than in {first.path} (leave the column out if it counts rows)"
        require_disjoint(ours.tolist(), theirs, words, path)
    if comparable(first, second) and is_leak(
        first.predictions, second.predictions, are_logits=first.outputs.kind == "logits"
    ):
        shared = shared_rows(first.predictions, second.predictions)
        message = (
            f"{path}: other cases than in {first.path} expected, got the very same "
            f"{first.outputs.kind} in {rows_text(shared)}"
        )
        raise InputError(message)
    alike = alike_rows(first.predictions, second.predictions)
    if alike is not None:
        message = (
            f"{path}: other cases than in {first.path} expected, got probabilities that are equal "
            f"but for rounding, more often than by chance, in {rows_text(alike)}"
        )
        raise InputError(message)


def comparable(first: Given, second: Given) -> bool:
    """Return whether rows of two files can be told to be equal: both hold the same kind."""
    return first.outputs.kind == second.outputs.kind


def take(predictions: Predictions, chosen: np.ndarray) -> Predictions:
    """Return some cases of predictions: those where `chosen` is true."""
    return Predictions(
        logits=predictions.logits[chosen],
        labels=predictions.labels[chosen],
        cases=predictions.cases[chosen],
        patients=predictions.patients[chosen],
        groups=predictions.groups[chosen].reset_index(drop=True),
    )
