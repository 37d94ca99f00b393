"""Read the arrays of a NumPy archive row by row, without pickles and without trust in its sizes."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np

from pipeline.errors import InputError, located

MAX_ROW_BYTES = 2**30
"""No single image or table may claim more than this: a false header is refused unallocated."""


_DAMAGED = (
    zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, RuntimeError, ValueError,
    OverflowError,
)  # fmt: skip
"""What `zipfile` raises of an archive that it cannot read; of an encrypted one a RuntimeError."""


@dataclass(frozen=True)
class Member:
    """One array of an archive, opened behind its header."""

    file: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype

    def rows(self) -> Iterator[np.ndarray]:
        """Yield the rows along the first axis; one is in memory at a time."""
        num_bytes = prod(self.shape[1:]) * self.dtype.itemsize
        _require_size(num_bytes)
        for _ in range(self.shape[0]):
            row = np.frombuffer(self._read(num_bytes), self.dtype)
            yield row.reshape(self.shape[1:])

    def whole(self) -> np.ndarray:
        """Return the whole array, for tables of labels and names."""
        num_bytes = prod(self.shape) * self.dtype.itemsize
        _require_size(num_bytes)
        return np.frombuffer(self._read(num_bytes), self.dtype).reshape(self.shape)

    def _read(self, num_bytes: int) -> bytes:
        with _undamaged():
            content = self.file.read(num_bytes)
        if len(content) < num_bytes:
            message = f"truncated: {num_bytes} bytes expected, got {len(content)}"
            raise InputError(message)
        return content


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a NumPy archive; every fault inside becomes an `InputError` that names the file."""
    with located(path):
        if not path.is_file():
            message = "no such file"
            raise InputError(message)
        with _undamaged():
            archive = zipfile.ZipFile(path)
        with archive:
            yield archive


@contextmanager
def open_member(archive: zipfile.ZipFile, key: str) -> Iterator[Member]:
    """Open one array of an archive; faults name its key.

    Raises `InputError` if the key is missing, holds a pickle or no array, or is damaged.
    """
    with located(f"key '{key}'"):
        try:
            info = archive.getinfo(f"{key}.npy")
        except KeyError as error:
            known = ", ".join(keys(archive)) or "none"
            message = f"missing; the file has: {known}"
            raise InputError(message) from error
        with _undamaged():
            file = archive.open(info)
        with file:
            yield _read_header(file, info.file_size)


def keys(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of an archive's arrays."""
    return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


@contextmanager
def _undamaged() -> Iterator[None]:
    """Turn what `zipfile` raises into an `InputError`."""
    try:
        yield
    except _DAMAGED as error:
        message = f"damaged, encrypted or no .npz archive: {error}"
        raise InputError(message) from error


def _read_header(file: IO[bytes], file_size: int) -> Member:
    try:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            # Later versions exist for tables of very many fields; their header may claim gigabytes.
            message = f"header version 1.0 expected, got {version[0]}.{version[1]}"
            raise InputError(message)
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    except InputError:
        raise
    except (ValueError, SyntaxError, TypeError, TokenError) as error:
        message = f"no NumPy array: {' '.join(str(error).split()):.200}"
        raise InputError(message) from error
    except _DAMAGED as error:
        message = f"damaged: {error}"
        raise InputError(message) from error
    if dtype.hasobject:
        message = "holds a pickle, which could run any code: arrays of numbers or text expected"
        raise InputError(message)
    if fortran_order and len(shape) > 1:
        message = "stored column by column (Fortran order): row by row expected"
        raise InputError(message)
    if prod(shape) * dtype.itemsize != file_size - file.tell():
        message = f"shape {shape} of {dtype} does not fill its {file_size} bytes"
        raise InputError(message)
    return Member(file, shape, dtype)


def _require_size(num_bytes: int) -> None:
    if num_bytes > MAX_ROW_BYTES:
        message = f"claims {num_bytes} bytes at once, more than the {MAX_ROW_BYTES} allowed"
        raise InputError(message)
