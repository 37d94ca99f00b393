"""The arrays of an npz file: numbers and text alone, and no more of them than the file can hold."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np

from pipeline.errors import InputError, located
from pipeline.shapes import require_same_length

MAX_BYTES = 4_000_000_000
"""Of all arrays together."""

MAX_ARRAYS = 10_000

KINDS = "biufU"
"""Truth values, whole numbers, numbers, text."""

LAST_CHARACTER = 0x10FFFF

CLASSES = "classes"
"""The one array with a row a class instead of a row a case."""

_BROKEN_ZIP = (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError)
_BROKEN_MEMBER = (
    *_BROKEN_ZIP, zlib.error, RuntimeError, SyntaxError, TokenError, TypeError, OverflowError,
)  # fmt: skip
"""What zipfile and NumPy raise of members that are cut, encrypted, or compressed otherwise."""


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an npz file, by name.

    Raises `InputError`, naming the array, if it is damaged, has another number of rows, holds
    neither numbers nor text, or would have to run a pickle to be read.
    """
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN_ZIP as error:
        message = "no npz file: numpy arrays in a zip archive expected"
        raise InputError(message) from error
    with archive:
        members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        if len(members) < len(archive.infolist()) or len(members) > MAX_ARRAYS:
            message = f"at most {MAX_ARRAYS:,} arrays of different names expected"
            raise InputError(message)
        claimed = sum(member.file_size for member in members.values())
        if claimed > MAX_BYTES:
            message = f"arrays of at most {MAX_BYTES:,} bytes expected, got {claimed:,}"
            raise InputError(message)
        arrays = {name: _read(archive, member, name) for name, member in members.items()}
    require_same_length(**{name: array for name, array in arrays.items() if name != CLASSES})
    return arrays


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> np.ndarray:
    with located(f"array '{name}'"):
        try:
            # NumPy warns of old headers, which are as good as others.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                array = _read_array(archive, member)
        except InputError:
            raise
        except _BROKEN_MEMBER as error:
            message = "damaged, or no array"
            raise InputError(message) from error
        _require_text(array)
    return array


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        _require_sound(*_header(file), num_bytes=member.file_size)
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    version = np.lib.format.read_magic(file)
    if version not in read:
        message = f"version 1 or 2 of numpy's format expected, got {version}"
        raise InputError(message)
    shape, _, dtype = read[version](file)
    return shape, dtype


def _require_sound(shape: tuple[int, ...], dtype: np.dtype, *, num_bytes: int) -> None:
    """Raise `InputError` unless an array has one axis or two, and the bytes that it claims."""
    if dtype.hasobject:
        message = "numbers or text expected, got Python objects, which are a pickle"
        raise InputError(message)
    if dtype.kind not in KINDS:
        message = f"numbers or text expected, got {dtype}"
        raise InputError(message)
    if len(shape) not in (1, 2):
        message = f"one or two axes expected, got shape {shape}"
        raise InputError(message)
    claimed = dtype.itemsize * int(np.prod(shape, dtype=object))
    if claimed > min(num_bytes, MAX_BYTES):
        message = f"{claimed:,} bytes claimed, of which the file holds {num_bytes:,}"
        raise InputError(message)


def _require_text(array: np.ndarray) -> None:
    """Raise `InputError` if an array of text holds what is no character."""
    if array.dtype.kind != "U":
        return
    points = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).view(np.uint32)
    if ((points > LAST_CHARACTER) | ((points >= 0xD800) & (points < 0xE000))).any():
        message = "text expected, got numbers of no character"
        raise InputError(message)
