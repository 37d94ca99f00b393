"""The files that stages exchange, checked when they are written and when they are read."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.cases import read_cases
from pipeline.errors import InputError, located
from pipeline.shapes import (
    Labels,
    Logits,
    LogProbabilities,
    Probabilities,
    require_finite,
    require_labels_in_range,
    require_same_length,
)

GROUP_COLUMNS = ("site", "sex", "age_band")


@dataclass(frozen=True)
class Predictions:
    """What every stage after training works on: one row a case.

    Attributes
    ----------
    logits : float array, (cases, classes)
        In nats.
    labels : int array, (cases,)
        True classes.
    cases, patients : str arrays, (cases,)
        Keys; a patient's cases are resampled together.
    groups : DataFrame, (cases, group columns)
        Strings by which results are broken down: site, sex, age band ...
    truth : float array, (cases, classes), optional
        The label probabilities that generated the labels, where a simulation knows them.
    """

    logits: Logits
    labels: Labels
    cases: np.ndarray
    patients: np.ndarray
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)
    truth: Probabilities | None = None

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
    """Logits of cases that are of none of the classes trained on: no label of theirs exists here.

    Attributes
    ----------
    logits : float array, (cases, classes)
        In nats; the classes are those trained on.
    cases, patients : str arrays, (cases,)
        Keys in the data set that the cases come from.
    """

    logits: Logits
    cases: np.ndarray
    patients: np.ndarray

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
    with located(path):
        table = _read_table(path)
        groups = {
            name.removeprefix("group_"): table[name].to_pandas()
            for name in table.column_names
            if name.startswith("group_")
        }
        return Predictions(
            logits=column_matrix(table["logits"]),
            labels=table["label"].to_numpy(),
            cases=table["case"].to_numpy(),
            patients=table["patient"].to_numpy(),
            groups=pd.DataFrame(groups, index=range(table.num_rows)),
            truth=column_matrix(table["truth"]) if "truth" in table.column_names else None,
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
    with located(path):
        table = _read_table(path)
        if "label" in table.column_names:
            message = "cases of no known class expected, got labels"
            raise InputError(message)
        return ForeignPredictions(
            logits=column_matrix(table["logits"]),
            cases=table["case"].to_numpy(),
            patients=table["patient"].to_numpy(),
        )


def write_log_probabilities(by_calibrator: dict[str, LogProbabilities], path: Path) -> None:
    """Write one column a calibrator, rows in the order of the predictions they were made from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: matrix_column(values) for name, values in by_calibrator.items()}
    pq.write_table(pa.table(columns), path, compression="zstd")


def read_log_probabilities(path: Path) -> dict[str, LogProbabilities]:
    """Return log-probabilities by calibrator, each (cases, classes) in float64."""
    with located(path):
        table = _read_table(path)
        return {name: column_matrix(table[name]) for name in table.column_names}


def _read_table(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except FileNotFoundError as error:
        message = "no such file"
        raise InputError(message) from error
    except pa.ArrowInvalid as error:
        message = f"no Parquet file: {error}"
        raise InputError(message) from error


def matrix_column(matrix: np.ndarray) -> pa.Array:
    """Return an (n, k) array as an Arrow column of lists of k numbers."""
    flat = pa.array(np.ascontiguousarray(matrix).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])


def column_matrix(column: pa.ChunkedArray) -> np.ndarray:
    """Return an Arrow column of lists of k numbers as an (n, k) array."""
    values = column.combine_chunks()
    return values.flatten().to_numpy(zero_copy_only=False).reshape(len(values), -1)


@dataclass(frozen=True)
class Prepared:
    """A prepared data set: decoded, split, audited.

    Attributes
    ----------
    images : array, (cases, *spatial, channels)
        uint8, int16 or float32; memory-mapped, so reading a part loads a part.
    cases : DataFrame, (cases, columns)
        Row i describes image i: case, patient, label, split, site, sex, age ...
    card : dict
        Title, classes, image size, counts, licence, fingerprint and the splits that serve twice.
    """

    images: np.ndarray
    cases: pd.DataFrame
    card: dict[str, Any]

    def rows(self, split: str) -> np.ndarray:
        """Return the row numbers of a split, following the card's `reuse`; (cases,) integers."""
        source = self.card["reuse"].get(split, split)
        return np.flatnonzero((self.cases["split"] == source).to_numpy())


def read_prepared(folder: Path) -> Prepared:
    """Return a prepared data set, its images memory-mapped and its table of cases valid."""
    if not (folder / "card.json").is_file():
        message = f"{folder}: no prepared data set (card.json is missing): run prepare first"
        raise InputError(message)
    images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    cases = read_cases(folder / "cases.parquet")
    with located(folder):
        require_same_length(images=images, cases=cases["case"].to_numpy())
    return Prepared(images=images, cases=cases, card=read_json(folder / "card.json"))


def write_json(content: Any, path: Path) -> None:
    """Write JSON with sorted keys and a final newline, so that versions compare line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Return a JSON file's content; `InputError` names the file where there is none."""
    if not path.is_file():
        message = f"{path}: no such file"
        raise InputError(message)
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder that takes the target's place only if the block ends without error.

    Nothing half-written is left behind: on an error the folder goes, and the target stays as it
    was before.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield partial
        partial.chmod(0o777 & ~_umask())
        if target.exists():
            shutil.rmtree(target)
        partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
