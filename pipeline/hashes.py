"""The hashes of a folder's files: written beside them, and checked before they are read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from pipeline.config.reading import read_text
from pipeline.errors import InputError

HASHES = "SHA256SUMS"
"""As coreutils write it: ``sha256sum --check SHA256SUMS`` reads it as well."""

SIGNATURE = f"{HASHES}.sig"
"""Where whoever signs the hashes puts the signature, which cannot be among them."""

ABSENT = "no such file"
MAX_BYTES = 100_000_000
LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def write_hashes(folder: Path) -> None:
    """Write down the SHA-256 of every file below a folder, in the folder."""
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in _file_names(folder)]
    (folder / HASHES).write_text("".join(lines), encoding="utf-8")


def changed_files(folder: Path, *, without: Sequence[str] = ()) -> Iterator[tuple[str, str, str]]:
    """Yield name, recorded and found hash of every file that is not what was written.

    `without` are ends of the names of files that are left out, since nobody reads them now.

    Raises `InputError` if no hashes are there, or they cannot be read.
    """
    recorded = _read_hashes(folder / HASHES)
    for name in sorted({*recorded, *_file_names(folder)}):
        if name.endswith(tuple(without)):
            continue
        found = _sha256(folder / name)
        if found != (stated := recorded.get(name, ABSENT)):
            yield name, stated, found


def require_intact(folder: Path, *, stage: str | None = None, without: Sequence[str] = ()) -> None:
    """Raise `InputError` naming the first file that changed since it was written.

    The message ends with the `stage` of ``dvc.yaml`` that makes the folder; `without` is that of
    `changed_files`.
    """
    # Forced: DVC itself passes over a file whose size and time are as they were.
    remedy = f": `dvc repro --single-item --force {stage}` makes it again" if stage else ""
    try:
        changed = next(changed_files(folder, without=without), None)
    except InputError as error:
        message = f"{error}{remedy}"
        raise InputError(message) from error
    if changed is not None:
        name, stated, found = changed
        fault = "is not as it was written"
        if found == ABSENT:
            fault = f"is missing, though {HASHES} beside it lists it"
        elif stated == ABSENT:
            fault = f"was not written with the others: {HASHES} does not list it"
        message = f"{folder / name} {fault}{remedy}"
        raise InputError(message)


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return a file's hexadecimal digest, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()


def _read_hashes(path: Path) -> dict[str, str]:
    if not path.is_file():
        message = f"{path}: {ABSENT}"
        raise InputError(message)
    recorded = {}
    lines = read_text(path, max_bytes=MAX_BYTES).splitlines()
    for number, line in enumerate(lines, start=1):
        if (match := LINE.fullmatch(line)) is None:
            message = f"{path}: line {number}: a SHA-256 and a file's name expected"
            raise InputError(message)
        name = PurePosixPath(match[2])
        if name.is_absolute() or ".." in name.parts or match[2] in recorded:
            message = f"{path}: line {number}: a file below the folder expected, each once"
            raise InputError(message)
        recorded[match[2]] = match[1]
    if not recorded:
        message = f"{path}: a line for each file expected, got none"
        raise InputError(message)
    return recorded


def _file_names(folder: Path) -> list[str]:
    """Return the files below a folder but for the hashes, their signature and what is hidden."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        name.as_posix()
        for name in names
        if name.as_posix() not in (HASHES, SIGNATURE) and not name.name.startswith(".")
    )


def _sha256(path: Path) -> str:
    try:
        return file_digest(path) if path.is_file() else ABSENT
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise InputError(message) from error
