"""Two versions of a folder of results, file by file and number by number."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.artifacts import column_matrix
from pipeline.errors import InputError
from pipeline.hashes import HASHES
from pipeline.parquet_table import read_parquet
from pipeline.tables import TABLES

KEYS = tuple(
    dict.fromkeys(["experiment", "split", *(key for spec in TABLES.values() for key in spec.keys)])
)
"""Columns that say which row of a table it is."""

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
SHOWN = 60
"""Characters of a line around the place where it differs."""


@dataclass(frozen=True)
class Difference:
    """One place where what is stored is not what comes out."""

    path: str
    """The file, as seen from the project's folder."""
    place: str
    """Row and column, key or line; empty where the file as a whole is meant."""
    stored: str
    recomputed: str
    """What stands there, and what comes out: a number computed again, a hash taken again."""

    def __str__(self) -> str:
        place = f": {self.place}" if self.place else ""
        return f"{self.path}{place}: stored {self.stored}, recomputed {self.recomputed}"


Found = tuple[str, str, str]
"""Place, stored, recomputed."""


def readable(differences: Iterator[Difference], *, name: str, root: Path) -> Iterator[Difference]:
    """Yield differences, the last of them that no more could be read.

    `name` is what is read, as seen from the project's folder, which messages leave out.
    """
    try:
        yield from differences
    except InputError as error:
        fault = str(error).replace(f"{root}/", "")
        yield Difference(name, "", f"what cannot be read ({fault})", "nothing from it")


def compare_folders(
    stored: Path, recomputed: Path, *, name: str, tolerance: float
) -> Iterator[Difference]:
    """Yield every difference between the files of two folders, in the order of their names.

    `name` is what the stored folder is called in messages; `tolerance` is the largest relative
    difference of two numbers that counts as none, 0 where every digit counts.
    """
    names = sorted({*_files(stored), *_files(recomputed)})
    for file in names:
        path = f"{name}/{file}"
        if not (stored / file).is_file():
            yield Difference(path, "", "no such file", "a file")
        elif not (recomputed / file).is_file():
            yield Difference(path, "", "a file", "no such file")
        else:
            for place, old, new in compare_files(stored / file, recomputed / file, tolerance):
                yield Difference(path, place, old, new)


def compare_files(stored: Path, recomputed: Path, tolerance: float) -> Iterator[Found]:
    """Yield place, stored and recomputed value of every difference between two files."""
    if stored.read_bytes() == recomputed.read_bytes():
        return
    compare = {".csv": _compare_csv, ".json": _compare_json, ".parquet": _compare_parquet}
    reader: Callable[..., Iterator[Found]] = compare.get(stored.suffix, _compare_text)
    try:
        yield from reader(stored, recomputed, tolerance)
    except (ValueError, csv.Error, RecursionError) as error:
        # Whatever cannot be read any more has been changed.
        yield f"no {stored.suffix} file any more", str(error).splitlines()[0], "a whole one"


def same_text(stored: str, recomputed: str, tolerance: float) -> bool:
    """Return whether two texts are equal, but for numbers that differ by less than the tolerance.

    >>> same_text("risk 0.10", "risk 0.1", 1e-9), same_text("risk 0.1", "risk 0.2", 1e-9)
    (True, False)
    >>> same_text("risk 0.10", "risk 0.1", 0.0)
    False
    """
    if stored == recomputed:
        return True
    if tolerance == 0 or NUMBER.split(stored) != NUMBER.split(recomputed):
        return False
    pairs = zip(NUMBER.findall(stored), NUMBER.findall(recomputed), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=tolerance) for a, b in pairs)


def _files(folder: Path) -> Iterator[str]:
    """Yield the files in a folder, but for the hashes of those that are compared themselves."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != HASHES:
            yield path.relative_to(folder).as_posix()


def _compare_csv(stored: Path, recomputed: Path, tolerance: float) -> Iterator[Found]:
    with stored.open(newline="") as old_file, recomputed.open(newline="") as new_file:
        old_rows, new_rows = csv.reader(old_file), csv.reader(new_file)
        header = next(new_rows, [])
        if (old_header := next(old_rows, [])) != header:
            yield "header", ",".join(old_header), ",".join(header)
            return
        for number, (old, new) in enumerate(zip_longest(old_rows, new_rows), start=1):
            if old is None or new is None:
                yield f"row {number}", _presence(old), _presence(new)
                continue
            if len(old) != len(new):
                yield f"row {number}", f"{len(old)} cells", f"{len(new)} cells"
                continue
            for column, before, after in zip(header, old, new, strict=True):
                if not same_text(before, after, tolerance):
                    yield f"{_row_name(number, header, new)}: {column}", before, after


def _presence(row: list[str] | None) -> str:
    return "nothing" if row is None else ",".join(row)


def _row_name(number: int, header: list[str], row: list[str]) -> str:
    keys = [f"{name} {row[header.index(name)]}" for name in KEYS if name in header]
    return f"row {number} ({', '.join(keys)})" if keys else f"row {number}"


def _compare_json(stored: Path, recomputed: Path, tolerance: float) -> Iterator[Found]:
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (stored, recomputed))
    before, after = dict(_leaves(old)), dict(_leaves(new))
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key, "nothing"), after.get(key, "nothing")
        if not same_text(was, now, tolerance):
            yield f"key {key}", was, now


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value that holds no other, by its way from the top."""
    items: Iterator[tuple[Any, Any]] | None = None
    if isinstance(value, dict) and value:
        items = iter(value.items())
    elif isinstance(value, list) and value:
        items = iter(enumerate(value))
    if items is None:
        yield key, json.dumps(value, ensure_ascii=False)
        return
    for name, inner in items:
        yield from _leaves(inner, f"{key}.{name}" if key else str(name))


def _compare_parquet(stored: Path, recomputed: Path, tolerance: float) -> Iterator[Found]:
    old, new = read_parquet(stored), read_parquet(recomputed)
    if old.schema.names != new.schema.names or len(old) != len(new):
        yield "table", _shape(old), _shape(new)
        return
    for name in new.schema.names:
        yield from _compare_columns(name, old[name], new[name], tolerance)


def _shape(table: pa.Table) -> str:
    return f"{len(table)} rows of {', '.join(table.schema.names)}"


def _compare_columns(
    name: str, old: pa.ChunkedArray, new: pa.ChunkedArray, tolerance: float
) -> Iterator[Found]:
    if old.type != new.type:
        yield f"column {name}", str(old.type), str(new.type)
        return
    before, after = (_cells(column) for column in (old, new))
    for row, column in np.argwhere(~_equal(before, after, tolerance)):
        place = f"column {name}, row {row + 1}"
        if before.shape[1] > 1:
            place += f", class {column}"
        yield place, str(before[row, column]), str(after[row, column])


def _cells(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_fixed_size_list(column.type):
        return column_matrix(column)
    return column.to_pandas().to_numpy().reshape(len(column), 1)


def _equal(before: np.ndarray, after: np.ndarray, tolerance: float) -> np.ndarray:
    absent = np.asarray(pd.isna(before) & pd.isna(after), dtype=bool)
    same = np.asarray(before == after, dtype=bool)
    if tolerance and np.issubdtype(before.dtype, np.number):
        same |= np.isclose(before, after, rtol=tolerance, atol=0.0)
    return same | absent


def _compare_text(stored: Path, recomputed: Path, tolerance: float) -> Iterator[Found]:
    try:
        old, new = (path.read_bytes().decode().split("\n") for path in (stored, recomputed))
    except UnicodeDecodeError:
        yield "", f"{stored.stat().st_size} bytes", f"{recomputed.stat().st_size} other bytes"
        return
    for number, (before, after) in enumerate(zip_longest(old, new, fillvalue=""), start=1):
        if not same_text(before, after, tolerance):
            start = max(0, _first_difference(before, after) - SHOWN // 2)
            shown = slice(start, start + SHOWN)
            yield f"line {number}", repr(before[shown]), repr(after[shown])


def _first_difference(before: str, after: str) -> int:
    pairs = enumerate(zip(before, after, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(before), len(after)))
