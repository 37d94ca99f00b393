"""A Parquet table: its claims checked before they are believed, its lists never read shifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import InputError, located

MAX_BYTES = 4_000_000_000
"""Of a table, as its file claims and in memory."""
MAX_COLUMNS = 10_000
MAX_CELL = 10_000_000
"""Bytes of a text; the longest of ours, a fitted calibrator of hundreds of classes, has one."""

_DAMAGED = (pa.ArrowException, OSError, ValueError, OverflowError)
"""What Arrow raises of a file that is damaged, or none of its kind."""


def read_parquet(path: Path) -> pa.Table:
    """Return the table in a Parquet file.

    Raises `InputError`, naming the file, if it is absent, is no Parquet, is damaged, or is larger
    than `MAX_BYTES`, `MAX_COLUMNS` or, in a cell, `MAX_CELL`.
    """
    with located(path):
        if not path.is_file():
            message = "no such file"
            raise InputError(message)
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                _require_bounded(file.metadata)
                table = _read(file)
            table.validate(full=True)
        except InputError:
            raise
        except _DAMAGED as error:
            message = "no Parquet file, or a damaged one"
            raise InputError(message) from error
        _require_distinct(table.column_names)
    return table


def _require_bounded(metadata: pq.FileMetaData) -> None:
    if metadata.num_columns > MAX_COLUMNS:
        message = f"at most {MAX_COLUMNS:,} columns expected, got {metadata.num_columns:,}"
        raise InputError(message)
    # Not column by column: to ask for a damaged column's facts ends the process (pyarrow 26).
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    _require_size(sum(group.total_byte_size for group in groups))


def _read(file: pq.ParquetFile) -> pa.Table:
    """Read a part at a time: a kilobyte may stand for a thousand million equal values."""
    batches, num_bytes = [], 0
    for batch in file.iter_batches():
        num_bytes += batch.nbytes
        _require_size(num_bytes)
        for name in batch.schema.names:
            _require_short(batch[name], name)
        batches.append(batch)
    return pa.Table.from_batches(batches, schema=file.schema_arrow)


def _require_size(num_bytes: int) -> None:
    if num_bytes > MAX_BYTES:
        message = f"at most {MAX_BYTES:,} bytes in memory expected, got {num_bytes:,} or more"
        raise InputError(message)


def _require_short(column: pa.Array, name: str) -> None:
    texts = column.dictionary if pa.types.is_dictionary(column.type) else column
    if not is_text(texts.type):
        return
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if longest > MAX_CELL:
        message = f"column {name!r:.80}: at most {MAX_CELL:,} bytes in a cell expected"
        raise InputError(message)


def _require_distinct(names: list[str]) -> None:
    if len(set(names)) < len(names):
        message = f"names that differ expected, got {len(set(names))} for {len(names)} columns"
        raise InputError(message)


def list_matrix(column: pa.ChunkedArray) -> np.ndarray:
    """Return a column of lists of k numbers as an array (n, k).

    Raises `InputError` if a row has no list, or one of another length; if it holds no numbers. The
    message names the row.

    >>> list_matrix(pa.chunked_array([[[1, 2], [3, 4]]])).tolist()
    [[1, 2], [3, 4]]
    >>> list_matrix(pa.chunked_array([[[1, 2], None]]))
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: a list in every row expected, got none in row 2
    """
    if not (is_list(column.type) and is_number(column.type.value_type)):
        message = "a list of numbers in every row expected"
        raise InputError(message)
    values = column.combine_chunks()
    if values.null_count:
        row = values.is_null().index(True).as_py() + 1
        message = f"a list in every row expected, got none in row {row}"
        raise InputError(message)
    lengths = values.value_lengths().to_numpy(zero_copy_only=False)
    if len(lengths) and (lengths != lengths[0]).any():
        row = int(np.flatnonzero(lengths != lengths[0])[0]) + 1
        message = f"lists of one length expected, got another in row {row} than in row 1"
        raise InputError(message)
    length = int(lengths[0]) if len(lengths) else 0
    return values.flatten().to_numpy(zero_copy_only=False).reshape(len(values), length)


def python_values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column's values, None where there is none.

    Raises `InputError` if Python has no such value: a day beyond its calendar, an unknown time
    zone.

    >>> python_values(pa.chunked_array([pa.array([2**31 - 1], pa.int32()).view(pa.date32())]))
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: numbers or text expected, got date32[day] out of range
    """
    try:
        return column.to_pylist()
    except _DAMAGED as error:
        message = f"numbers or text expected, got {column.type} out of range"
        raise InputError(message) from error


def is_list(kind: pa.DataType) -> bool:
    """Return whether a column holds lists."""
    return (
        pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    )


def is_number(kind: pa.DataType) -> bool:
    """Return whether a column holds whole or floating numbers."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column holds text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def is_binary(kind: pa.DataType) -> bool:
    """Return whether a column holds bytes."""
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )
