"""The columns of a CSV, Parquet or npz file: named arrays, one row a case, nothing executed.

What stands in a cell is never told: it may name a patient. A message says which rows, and what was
expected of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.bring_your_own.npz_file import read_npz
from pipeline.csv_table import SEPARATORS, absent_column, read_separated
from pipeline.errors import InputError, located
from pipeline.identifiers import cell_text
from pipeline.parquet_table import (
    is_binary,
    is_list,
    is_number,
    list_matrix,
    python_values,
    read_parquet,
)

ABSENT = ("", "nan", "none", "na", "null", "<na>")
"""What stands, in small letters, where a number is missing."""


@dataclass(frozen=True)
class Columns:
    """What a file holds."""

    path: Path
    arrays: dict[str, np.ndarray]
    """(cases,) or (cases, classes). Those of a CSV file are text."""
    unusable: dict[str, str] = field(default_factory=dict)
    """What is wrong with the others, which matters only where one of them is asked for."""
    separator: str = SEPARATORS[0]
    """What parts the cells of a CSV file; where it is no comma, numbers may have decimal commas."""

    def __iter__(self) -> Iterator[str]:
        return iter([*self.arrays, *self.unusable])

    def __len__(self) -> int:
        return len(self.arrays) + len(self.unusable)

    def first(self, *names: str) -> str | None:
        """Return the first of these columns that is there, whatever the case of its letters."""
        present = [*self]
        for name in names:
            if name in present:
                return name
            if alike := [each for each in present if each.strip().casefold() == name.casefold()]:
                return self._only(alike)
        return None

    def _only(self, alike: list[str]) -> str:
        if len(alike) > 1:
            message = (
                f"{self.path}: one column '{alike[0].strip()}' expected, got {len(alike)} that "
                "differ in case alone"
            )
            raise InputError(message)
        return alike[0]

    def require(self, *names: str) -> str:
        """Return the first of these names that is there; `InputError` if none is."""
        if found := self.first(*names):
            return found
        with located(self.path):
            raise InputError(absent_column(self.path, names[0], len(self)))

    def values(self, name: str) -> np.ndarray:
        """Return a column as it is; `InputError` if the file has it in no usable form."""
        if name in self.unusable:
            message = f"{self.path}: column '{name}': {self.unusable[name]}"
            raise InputError(message)
        return self.arrays[name]

    def one_axis(self, name: str) -> np.ndarray:
        """Return a column of one value a row; a list in a row is an error."""
        values = self.values(name)
        if values.ndim > 1:
            message = (
                f"{self.path}: column '{name}': one value a row expected, got {values.shape[1]}"
            )
            raise InputError(message)
        return values

    def text(self, name: str) -> np.ndarray:
        """Return a column as text without spaces around; a cell without any is an error."""
        values = self.one_axis(name)
        text = np.array([cell_text(value).strip() for value in values.tolist()], dtype=object)
        missing = np.asarray(pd.isna(values) | (text == ""), dtype=bool)
        if missing.any():
            message = (
                f"{self.path}: column '{name}': a value in every row expected, "
                f"got none in {rows_text(missing)}"
            )
            raise InputError(message)
        return text

    def numbers(self, name: str) -> np.ndarray:
        """Return a column as float64, NaN where nothing stands; text is an error."""
        values = self.values(name)
        if np.issubdtype(values.dtype, np.number):
            return values.astype(np.float64)
        if pd.api.types.infer_dtype(values.reshape(-1)) == "string":
            # Most columns are numbers throughout, and need no look at each cell.
            plain = pd.to_numeric(pd.Series(values.reshape(-1)), errors="coerce")
            if not plain.isna().any():
                return plain.to_numpy(dtype=np.float64).reshape(values.shape)
        flat = pd.Series(values.reshape(-1)).map(cell_text).str.strip()
        flat = self.with_points(flat)
        absent = flat.str.lower().isin(ABSENT)
        converted = pd.to_numeric(flat.mask(absent), errors="coerce")
        wrong: np.ndarray = np.any(
            np.asarray(converted.isna() & ~absent).reshape(len(values), -1), axis=1
        )
        if wrong.any():
            message = (
                f"{self.path}: column '{name}': numbers expected, "
                f"got something else in {rows_text(wrong)}"
            )
            raise InputError(message)
        return converted.to_numpy(dtype=np.float64).reshape(values.shape)

    def with_points(self, cells: pd.Series) -> pd.Series:
        """Return cells with points for decimal commas, where commas part no cells of the file.

        Where a point stands beside them, commas are no decimals, and stay.
        """
        if self.separator == SEPARATORS[0] or cells.str.contains(".", regex=False).any():
            return cells
        return cells.str.replace(",", ".", regex=False)

    def finite(self, name: str) -> np.ndarray:
        """Return a column as float64; `InputError` if any value is missing, NaN or infinite."""
        values = self.numbers(name)
        wrong = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if wrong.any():
            message = (
                f"{self.path}: column '{name}': finite numbers expected, "
                f"got NaN, infinity or nothing in {rows_text(wrong)}"
            )
            raise InputError(message)
        return values


def read_columns(path: Path) -> Columns:
    """Return the columns of a file, told by its ending: .csv, .parquet or .npz.

    Raises `InputError` if there is no such file, it is not what its ending says, its columns have
    different lengths, or it would have to run a pickle to be read.
    """
    readers: dict[str, Callable[[Path], Columns]] = {
        ".csv": _read_csv,
        ".parquet": _read_parquet,
        ".npz": lambda path: Columns(path, read_npz(path)),
    }
    with located(path):
        if path.suffix.lower() not in readers:
            message = f"a file ending in {', '.join(readers)} expected"
            raise InputError(message)
        if not path.is_file():
            message = "no such file"
            raise InputError(message)
        columns = readers[path.suffix.lower()](path)
        if not columns.arrays or min(len(array) for array in columns.arrays.values()) == 0:
            message = "at least one case expected, got none"
            raise InputError(message)
    return columns


def rows_text(wrong: np.ndarray) -> str:
    """Return which rows are meant, without what stands in them.

    >>> rows_text(np.array([False, True, True]))
    '2 of 3 rows, first row 2 below the header'
    """
    first = np.flatnonzero(wrong)[0] + 1
    return f"{wrong.sum()} of {len(wrong)} rows, first row {first} below the header"


def _read_csv(path: Path) -> Columns:
    columns, separator = read_separated(path)
    arrays = {name: np.array(cells, dtype=object) for name, cells in columns.items()}
    return Columns(path, arrays, separator=separator)


def _read_parquet(path: Path) -> Columns:
    table = read_parquet(path)
    columns = Columns(path, {})
    for name in table.column_names:
        try:
            columns.arrays[name] = _parquet_array(table[name])
        except InputError as error:
            columns.unusable[name] = str(error)
    return columns


def _parquet_array(column: pa.ChunkedArray) -> np.ndarray:
    if is_list(column.type):
        return list_matrix(column)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_nested(kind) or is_binary(kind):
        message = f"numbers or text expected, got {kind}"
        raise InputError(message)
    if is_number(kind) and not column.null_count:
        return column.to_numpy()
    # Not by way of pandas, which would make a whole number beside a gap a float, and round it.
    return np.array(python_values(column), dtype=object)
