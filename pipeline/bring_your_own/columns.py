"""The columns of a CSV, Parquet or npz file: named arrays, one row a case, nothing executed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.artifacts import column_matrix
from pipeline.errors import InputError, located
from pipeline.shapes import require_same_length

ABSENT = ("", "nan", "none", "na", "null", "<na>")
"""What stands, in small letters, where a number is missing."""


@dataclass(frozen=True)
class Columns:
    """What a file holds.

    Attributes
    ----------
    path : Path
        Named in front of every error.
    arrays : dict of str to array
        (cases,) or (cases, classes). Those of a CSV file are text.
    """

    path: Path
    arrays: dict[str, np.ndarray]

    def first(self, *names: str) -> str | None:
        """Return the first of these names that is there."""
        return next((name for name in names if name in self.arrays), None)

    def require(self, *names: str) -> str:
        """Return the first of these names that is there; `InputError` if none is."""
        if found := self.first(*names):
            return found
        message = f"{self.path}: column '{names[0]}' expected, got: {', '.join(self.arrays)}"
        raise InputError(message)

    def text(self, name: str) -> np.ndarray:
        """Return a column as text; a cell without any is an error."""
        values = self.arrays[name]
        with located(f"{self.path}: column '{name}'"):
            missing = np.asarray(pd.isna(values), dtype=bool)
            if values.ndim > 1:
                message = f"one value a row expected, got {values.shape[1]}"
                raise InputError(message)
            text = np.array([_as_text(value) for value in values.tolist()], dtype=object)
            missing |= text == ""
            if missing.any():
                message = f"a value in every row expected, got none in {_rows(missing)}"
                raise InputError(message)
        return text

    def numbers(self, name: str) -> np.ndarray:
        """Return a column as float64, NaN where nothing stands; text is an error."""
        values = self.arrays[name]
        with located(f"{self.path}: column '{name}'"):
            if np.issubdtype(values.dtype, np.number):
                return values.astype(np.float64)
            flat = pd.Series(values.reshape(-1)).map(_as_text)
            absent = flat.str.lower().isin(ABSENT)
            converted = pd.to_numeric(flat.mask(absent), errors="coerce")
            wrong = (converted.isna() & ~absent).to_numpy()
            if wrong.any():
                message = f"numbers expected, got '{flat[wrong].iloc[0]}'"
                raise InputError(message)
            return converted.to_numpy(dtype=np.float64).reshape(values.shape)

    def finite(self, name: str) -> np.ndarray:
        """Return a column as float64; `InputError` if any value is missing, NaN or infinite."""
        values = self.numbers(name)
        wrong = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if wrong.any():
            message = (
                f"{self.path}: column '{name}': finite numbers expected, "
                f"got NaN, infinity or nothing in {_rows(wrong)}"
            )
            raise InputError(message)
        return values


def read_columns(path: Path) -> Columns:
    """Return the columns of a file, told by its ending: .csv, .parquet or .npz.

    Raises
    ------
    InputError
        If there is no such file, it is not what its ending says, its columns have different
        lengths, or it would have to run a pickle to be read.
    """
    readers: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
        ".csv": _read_csv,
        ".parquet": _read_parquet,
        ".npz": _read_npz,
    }
    with located(path):
        if path.suffix.lower() not in readers:
            message = f"a file ending in {', '.join(readers)} expected"
            raise InputError(message)
        if not path.is_file():
            message = "no such file"
            raise InputError(message)
        arrays = readers[path.suffix.lower()](path)
        if not arrays or min(len(array) for array in arrays.values()) == 0:
            message = "at least one case expected, got none"
            raise InputError(message)
    return Columns(path, arrays)


def _read_csv(path: Path) -> dict[str, np.ndarray]:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        message = f"no CSV file: {error}"
        raise InputError(message) from error
    return {str(name): table[name].to_numpy(dtype=object) for name in table.columns}


def _read_parquet(path: Path) -> dict[str, np.ndarray]:
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        message = f"no Parquet file: {error}"
        raise InputError(message) from error
    return {name: _parquet_array(name, table[name]) for name in table.column_names}


def _parquet_array(name: str, column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_fixed_size_list(column.type):
        return column_matrix(column)
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        return column.to_pandas().to_numpy()
    rows = column.to_pylist()
    lengths = {0 if row is None else len(row) for row in rows}
    if len(lengths) > 1:
        message = f"column '{name}': lists of one length expected, got {sorted(lengths)}"
        raise InputError(message)
    return np.array(rows, dtype=object)


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        archive = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        message = "no npz file: numpy arrays in a zip archive expected"
        raise InputError(message) from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        message = "no npz file, but a single array"
        raise InputError(message)
    with archive:
        arrays = {name: _npz_array(archive, name) for name in archive.files}
    # Names of classes are one a class, not one a case.
    require_same_length(**{name: array for name, array in arrays.items() if name != "classes"})
    return arrays


def _npz_array(archive: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    try:
        array = archive[name]
    except ValueError as error:
        message = (
            f"array '{name}': numbers or text expected, got Python objects, which are a pickle"
        )
        raise InputError(message) from error
    except zipfile.BadZipFile as error:
        message = f"array '{name}' is damaged: {error}"
        raise InputError(message) from error
    if array.ndim not in (1, 2):
        message = f"array '{name}': one or two axes expected, got shape {array.shape}"
        raise InputError(message)
    return array


def _as_text(value: object) -> str:
    # A table with a missing cell holds whole numbers as floats.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _rows(wrong: np.ndarray) -> str:
    first = np.flatnonzero(wrong)[0] + 1
    return f"{wrong.sum()} of {len(wrong)} rows, first row {first} below the header"
