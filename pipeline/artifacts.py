"""The files that stages exchange, checked when they are written and when they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.cases import read_cases
from pipeline.errors import InputError, located
from pipeline.folders import whole_folder
from pipeline.hashes import require_intact
from pipeline.json_files import read_json, write_json
from pipeline.parquet_table import is_text, list_matrix, read_parquet
from pipeline.shapes import (
    Labels,
    Logits,
    LogProbabilities,
    Probabilities,
    require_finite,
    require_labels_in_range,
    require_same_length,
)

__all__ = [
    "WEIGHTS",
    "ForeignPredictions",
    "Predictions",
    "Prepared",
    "column_matrix",
    "load_prepared",
    "matrix_column",
    "read_foreign",
    "read_images",
    "read_json",
    "read_log_probabilities",
    "read_predictions",
    "read_prepared",
    "require_intact",
    "whole_folder",
    "write_foreign",
    "write_json",
    "write_log_probabilities",
    "write_predictions",
]

WEIGHTS = "weights.safetensors"
"""Of a trained network, beside its logits: large, and needed to predict other cases alone."""

GROUP = "group_"
"""How a column begins by which results are broken down."""


@dataclass(frozen=True)
class Predictions:
    """What every stage after training works on: one row a case."""

    logits: Logits
    """In nats."""
    labels: Labels
    cases: np.ndarray
    patients: np.ndarray
    """A key a case, as `cases` are; a patient's cases are resampled together."""
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Strings by which results are broken down: site, sex, age band ; (cases, group columns)."""
    truth: Probabilities | None = None
    """The label probabilities that generated the labels, where a simulation knows them."""

    def __post_init__(self) -> None:
        """Raise `InputError` for anything that is not one finite row a case."""
        require_same_length(
            logits=self.logits, labels=self.labels, cases=self.cases, patients=self.patients
        )
        require_labels_in_range(self.labels, num_classes=self.logits.shape[1])
        require_finite("logits", self.logits)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ForeignPredictions:
    """Logits of cases that are of none of the classes trained on; they have no label here."""

    logits: Logits
    """In nats; the classes are those trained on."""
    cases: np.ndarray
    patients: np.ndarray
    """Keys in the data set that the cases come from; (cases,)."""

    def __post_init__(self) -> None:
        """Raise `InputError` for anything that is not one finite row a case."""
        require_same_length(logits=self.logits, cases=self.cases, patients=self.patients)
        require_finite("logits", self.logits)

    def __len__(self) -> int:
        return len(self.cases)


def write_predictions(predictions: Predictions, path: Path) -> None:
    """Write predictions as one Parquet file; logits keep their type, so their bits."""
    columns: dict[str, Any] = {
        "case": pa.array(predictions.cases.astype(str)),
        "patient": pa.array(predictions.patients.astype(str)),
        "label": pa.array(predictions.labels.astype(np.int32)),
        "logits": matrix_column(predictions.logits),
    }
    if predictions.truth is not None:
        columns["truth"] = matrix_column(predictions.truth)
    for name in predictions.groups.columns:
        columns[f"group_{name}"] = pa.array(predictions.groups[name].astype(str))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, compression="zstd")


def read_predictions(path: Path) -> Predictions:
    """Return the predictions in a Parquet file; `InputError` names the file where they are bad."""
    table = read_parquet(path)
    with located(path):
        names = [name for name in table.column_names if name.startswith(GROUP)]
        groups = {name.removeprefix(GROUP): _text(table, name) for name in names}
        return Predictions(
            logits=_matrix(table, "logits"),
            labels=_filled(table, "label", pa.types.is_integer, "whole numbers").to_numpy(),
            cases=_text(table, "case"),
            patients=_text(table, "patient"),
            groups=pd.DataFrame(groups, index=range(table.num_rows), dtype=str),
            truth=_matrix(table, "truth") if "truth" in table.column_names else None,
        )


def write_foreign(predictions: ForeignPredictions, path: Path) -> None:
    """Write predictions without labels as one Parquet file; logits keep their bits."""
    columns = {
        "case": pa.array(predictions.cases.astype(str)),
        "patient": pa.array(predictions.patients.astype(str)),
        "logits": matrix_column(predictions.logits),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, compression="zstd")


def read_foreign(path: Path) -> ForeignPredictions:
    """Return the predictions without labels in a Parquet file; `InputError` names a bad one."""
    table = read_parquet(path)
    with located(path):
        if "label" in table.column_names:
            message = "cases of no known class expected, got labels"
            raise InputError(message)
        return ForeignPredictions(
            logits=_matrix(table, "logits"),
            cases=_text(table, "case"),
            patients=_text(table, "patient"),
        )


def write_log_probabilities(by_calibrator: dict[str, LogProbabilities], path: Path) -> None:
    """Write one column a calibrator, rows in the order of the predictions they were made from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: matrix_column(values) for name, values in by_calibrator.items()}
    pq.write_table(pa.table(columns), path, compression="zstd")


def read_log_probabilities(path: Path) -> dict[str, LogProbabilities]:
    """Return log-probabilities by calibrator, each (cases, classes) in float64."""
    table = read_parquet(path)
    with located(path):
        return {name: _matrix(table, name) for name in table.column_names}


def _matrix(table: pa.Table, name: str) -> np.ndarray:
    with located(f"column '{name}'"):
        return list_matrix(_column(table, name))


def _text(table: pa.Table, name: str) -> np.ndarray:
    return _filled(table, name, is_text, "text").to_numpy()


def _filled(
    table: pa.Table, name: str, is_kind: Callable[[pa.DataType], bool], kind: str
) -> pa.ChunkedArray:
    """Return a column of some kind of values that lacks none of them."""
    column = _column(table, name)
    if not is_kind(column.type):
        message = f"column '{name}': {kind} expected, got {column.type}"
        raise InputError(message)
    if column.null_count:
        message = f"column '{name}': a value in every row expected, got none in {column.null_count}"
        raise InputError(message)
    return column


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        message = f"column '{name}' expected, got: {', '.join(table.column_names)}"
        raise InputError(message)
    return table[name]


def matrix_column(matrix: np.ndarray) -> pa.Array:
    """Return an (n, k) array as an Arrow column of lists of k numbers."""
    flat = pa.array(np.ascontiguousarray(matrix).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])


column_matrix = list_matrix
"""Returns what `matrix_column` made of an array."""


@dataclass(frozen=True)
class Prepared:
    """A prepared data set: decoded, split, audited."""

    images: np.ndarray
    """uint8, int16 or float32; memory-mapped, so reading a part loads a part; (cases, *spatial,
    channels)."""
    cases: pd.DataFrame
    """Row i describes image i: case, patient, label, split, site, sex, age ; (cases, columns)."""
    card: dict[str, Any]
    """Title, classes, image size, counts, licence, fingerprint and the splits that serve twice."""

    def rows(self, split: str) -> np.ndarray:
        """Return the row numbers of a split, following the card's `reuse`; (cases,) integers."""
        source = self.card["reuse"].get(split, split)
        return np.flatnonzero((self.cases["split"] == source).to_numpy())


def read_prepared(folder: Path) -> Prepared:
    """Return a prepared data set, its images memory-mapped; `InputError` if a file has changed."""
    if not (folder / "card.json").is_file():
        message = f"{folder}: no prepared data set (card.json is missing): run prepare first"
        raise InputError(message)
    require_intact(folder, stage=f"data@{folder.name}")
    return load_prepared(folder)


def load_prepared(folder: Path) -> Prepared:
    """Return a prepared data set as it is, with a valid table, changed since or not."""
    images = read_images(folder / "images.npy")
    cases = read_cases(folder / "cases.parquet")
    with located(folder):
        require_same_length(images=images, cases=cases["case"].to_numpy())
    return Prepared(images=images, cases=cases, card=read_json(folder / "card.json"))


_NO_ARRAY = (ValueError, OSError, EOFError, TypeError, OverflowError, SyntaxError, TokenError)
"""What NumPy raises of a file whose header says no sound array, or more than the file holds."""


def read_images(path: Path) -> np.ndarray:
    """Return an array in a ``.npy`` file, memory-mapped; `InputError` names a bad one."""
    try:
        # Not `np.load`, which takes an archive too.
        return np.lib.format.open_memmap(path, mode="r")
    except _NO_ARRAY as error:
        message = f"{path}: an array of images expected"
        raise InputError(message) from error
