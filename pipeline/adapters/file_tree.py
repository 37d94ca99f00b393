"""A tree of small files, packed in a zip or lying in a folder of a team's own.

A packed tree is acquired like any file. A team's own folder stays where it is: acquired is an index
of it, with every file's hash, in which the parts of its paths that could name somebody are hashed.
"""

from __future__ import annotations

import csv
import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.acquiring import file_digest
from pipeline.adapters.identity import Pseudonyms, find_sources
from pipeline.adapters.refused import Refused
from pipeline.errors import InputError

INDEX = "files.csv"
MAX_FILE_BYTES = 2**28
"""No single file may claim more; refused before allocation."""


class FileTree(Protocol):
    """Files by their path within the tree, ``/`` between its parts."""

    def names(self) -> list[str]:
        """Return the files' paths in alphabetical order."""
        ...

    def num_bytes(self) -> int:
        """Return the size of all files together, as far as they claim it."""
        ...

    def read(self, name: str) -> bytes:
        """Return a file's bytes; raise `Refused` if it is too large, damaged or changed."""
        ...


@contextmanager
def open_tree(
    raw: Path, folder: Path | None = None, pseudonyms: Pseudonyms | None = None
) -> Iterator[FileTree]:
    """Open what was acquired: the one zip in `raw`, or the own folder that `raw` has an index of.

    `pseudonyms` are those that hid the parts of the folder's paths, if any were hidden.
    """
    if folder is not None:
        yield _indexed(raw, folder, pseudonyms)
        return
    archives = sorted(raw.glob("*.zip"))
    if len(archives) != 1:
        message = f"{raw}: one .zip archive expected, got {len(archives)}"
        raise InputError(message)
    try:
        archive = zipfile.ZipFile(archives[0])
    except zipfile.BadZipFile as error:
        message = f"{archives[0]}: damaged or no .zip archive: {error}"
        raise InputError(message) from error
    with archive:
        yield _Packed(archive)


@dataclass(frozen=True)
class _Packed:
    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        return sorted(info.filename for info in self.archive.infolist() if not info.is_dir())

    def num_bytes(self) -> int:
        return sum(info.file_size for info in self.archive.infolist())

    def read(self, name: str) -> bytes:
        info = self.archive.getinfo(name)
        _require_size(info.file_size)
        try:
            return self.archive.read(info)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise Refused(reason="damaged in the archive", advice="pack it again") from error


@dataclass(frozen=True)
class _Indexed:
    paths: dict[str, Path]
    digests: dict[str, str]

    def names(self) -> list[str]:
        return sorted(self.paths)

    def num_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.paths.values())

    def read(self, name: str) -> bytes:
        _require_size(self.paths[name].stat().st_size)
        content = self.paths[name].read_bytes()
        if hashlib.sha256(content).hexdigest() != self.digests[name]:
            raise Refused(reason="changed since it was acquired", advice="run acquire again")
        return content


def _indexed(raw: Path, folder: Path, pseudonyms: Pseudonyms | None) -> FileTree:
    path = raw / INDEX
    if not path.is_file():
        message = f"{path}: no index of the folder: run acquire first"
        raise InputError(message)
    with path.open(newline="", encoding="utf-8") as file:
        digests = {row["file"]: row["sha256"] for row in csv.DictReader(file)}
    if pseudonyms is not None:
        return _Indexed(find_sources(folder, digests, pseudonyms), digests)
    paths = {name: folder / name for name in digests}
    if missing := [name for name, each in paths.items() if not each.is_file()]:
        message = f"{folder / missing[0]}: no such file any more: run acquire again"
        raise InputError(message)
    return _Indexed(paths, digests)


def write_index(
    raw: Path, folder: Path, *, shown: Callable[[str], str] = str, leave_out: Path | None = None
) -> None:
    """Write the path and the hash of every file of a folder, hidden ones left out.

    `shown` turns a path into what of it may be shown; `leave_out` is the table of labels, say.
    """
    kept = [
        name
        for name in files_below(folder)
        if leave_out is None or (folder / name).resolve() != leave_out.resolve()
    ]
    rows = sorted((shown(name), file_digest(folder / name)) for name in kept)
    with (raw / INDEX).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("file", "sha256"), *rows])


def files_below(folder: Path) -> list[str]:
    """Return the files of a folder that are not hidden, relative to it, in alphabetical order."""
    if not folder.is_dir():
        message = f"{folder}: no such folder"
        raise InputError(message)
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        found += [
            Path(here, name).relative_to(folder).as_posix()
            for name in names
            if not name.startswith(".") and Path(here, name).is_file()
        ]
    if not found:
        message = f"{folder}: the folder holds no file"
        raise InputError(message)
    return sorted(found)


def _require_size(num_bytes: int) -> None:
    if num_bytes > MAX_FILE_BYTES:
        advice = f"{num_bytes} bytes claimed, at most {MAX_FILE_BYTES} allowed"
        raise Refused(reason="file claims too many bytes", advice=advice)
