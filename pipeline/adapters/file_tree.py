"""A tree of small files, packed in a zip or lying in a folder of a team's own.

A packed tree is acquired like any file. A team's own folder stays where it is: acquired is an index
of it, with every file's hash, in which the parts of its paths that could name somebody are hashed.
"""

from __future__ import annotations

import csv
import hashlib
import zipfile
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.acquiring import file_digest
from pipeline.adapters.folder_listing import (
    canonical_path,
    is_hidden,
    list_folder,
    require_distinct,
)
from pipeline.adapters.identity import Pseudonyms, find_sources, hide_names
from pipeline.adapters.refused import (
    PARSER_ERRORS,
    UNREADABLE,
    Refused,
    require_likely_expansion,
)
from pipeline.errors import InputError

INDEX = "files.csv"
COLUMNS = ("file", "sha256", "fault")
_DAMAGE = (*PARSER_ERRORS, zipfile.BadZipFile)
_ENCRYPTED = 0x1
"""Of a member's general purpose bits (APPNOTE.TXT, 4.4.4)."""
MAX_FILE_BYTES = 2**28
"""No single file may claim more; refused before allocation."""


class FileTree(Protocol):
    """Files by their path within the tree, ``/`` between its parts.

    What begins with a dot is left out: a zip made on a Mac has such a twin of every file.
    """

    def names(self) -> list[str]:
        """Return the files' paths in alphabetical order."""
        ...

    def faults(self) -> dict[str, str]:
        """Return the paths that cannot be read, such as a broken link's, and the reasons."""
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
    with open_archive(archives[0]) as tree:
        yield tree


@contextmanager
def open_archive(path: Path) -> Iterator[FileTree]:
    """Open a zip; `InputError` if it is damaged, or two of its paths are spelt alike."""
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGE as error:
        message = f"{path}: damaged or no .zip archive: {error}"
        raise InputError(message) from error
    with archive:
        yield _packed(archive, path)


def read_bounded(path: Path) -> bytes:
    """Return a file's bytes; raise `Refused` if it is too large or cannot be read."""
    try:
        _require_size(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        reason, advice = UNREADABLE
        raise Refused(reason=reason, advice=advice) from error


@dataclass(frozen=True)
class _Packed:
    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]

    def names(self) -> list[str]:
        return sorted(self.members)

    def faults(self) -> dict[str, str]:
        return {}

    def num_bytes(self) -> int:
        return sum(info.file_size for info in self.members.values())

    def read(self, name: str) -> bytes:
        info = self.members[name]
        _require_size(info.file_size)
        require_likely_expansion(info.file_size, info.compress_size)
        if info.flag_bits & _ENCRYPTED:
            raise Refused(reason="encrypted in the archive", advice="pack it without a password")
        try:
            return self.archive.read(info)
        except _DAMAGE as error:
            raise Refused(reason="damaged in the archive", advice="pack it again") from error


def _packed(archive: zipfile.ZipFile, path: Path) -> FileTree:
    # A member that was packed again under its name takes the place of the first, as everywhere.
    infos = {info.filename: info for info in archive.infolist()}
    paths = {name: canonical_path(name) for name in infos if not name.endswith(("/", "\\"))}
    seen = {name: each for name, each in paths.items() if not any(map(is_hidden, each.split("/")))}
    require_distinct(seen.values(), path)
    return _Packed(archive, {each: infos[name] for name, each in seen.items()})


@dataclass(frozen=True)
class _Indexed:
    paths: dict[str, Path]
    digests: dict[str, str]
    faulty: dict[str, str]
    pseudonyms: Pseudonyms | None

    def names(self) -> list[str]:
        return sorted(self.paths)

    def faults(self) -> dict[str, str]:
        return self.faulty

    def num_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.paths.values())

    def read(self, name: str) -> bytes:
        content = read_bounded(self.paths[name])
        if _shown(hashlib.sha256(content).hexdigest(), self.pseudonyms) != self.digests[name]:
            raise Refused(reason="changed since it was acquired", advice="run acquire again")
        return content


def _indexed(raw: Path, folder: Path, pseudonyms: Pseudonyms | None) -> FileTree:
    path = raw / INDEX
    if not path.is_file():
        message = f"{path}: no index of the folder: run acquire first"
        raise InputError(message)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        message = (
            f"{path}: an index with the columns {', '.join(COLUMNS)} expected: run acquire again"
        )
        raise InputError(message)
    digests = {row["file"]: row["sha256"] for row in rows if not row["fault"]}
    faults = {row["file"]: row["fault"] for row in rows if row["fault"]}
    if pseudonyms is not None:
        paths = find_sources(folder, digests, pseudonyms)
        return _Indexed(paths, digests, faults, pseudonyms)
    paths = {name: folder / name for name in digests}
    if missing := [name for name, each in paths.items() if not each.is_file()]:
        message = f"{folder / missing[0]}: no such file any more: run acquire again"
        raise InputError(message)
    return _Indexed(paths, digests, faults, None)


def write_index(
    raw: Path,
    folder: Path,
    *,
    pseudonyms: Pseudonyms | None = None,
    public: Set[str] = frozenset(),
    leave_out: Path | None = None,
) -> None:
    """Write the path and the hash of every file of a folder, hidden ones left out.

    Parameters
    ----------
    raw, folder : Path
        Where the index is written, and of what.
    pseudonyms : Pseudonyms, optional
        What parts of paths and hashes of files leave as; without any they leave as they are.
    public : set of str
        Parts of paths that stay readable.
    leave_out : Path, optional
        The table of labels, say.

    Raises
    ------
    InputError
        If the folder is absent or has no file, or two of its paths are shown as one.
    """
    listing = list_folder(folder)
    table = None if leave_out is None else leave_out.resolve()
    rows = [
        (name, *_digest_or_fault(folder / name, pseudonyms))
        for name in listing.files
        if (folder / name).resolve() != table
    ]
    if not rows:
        message = f"{folder}: the folder holds no file"
        raise InputError(message)
    rows += [(name, "", fault) for name, fault in listing.faults.items()]
    if pseudonyms is not None:
        rows = [(hide_names(row[0], pseudonyms, public), *row[1:]) for row in rows]
    require_distinct((name for name, *_ in rows), folder)
    with (raw / INDEX).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *sorted(rows)])


def _digest_or_fault(path: Path, pseudonyms: Pseudonyms | None) -> tuple[str, str]:
    try:
        return _shown(file_digest(path), pseudonyms), ""
    except OSError:
        return "", UNREADABLE[0]


def _shown(sha256: str, pseudonyms: Pseudonyms | None) -> str:
    return sha256 if pseudonyms is None else pseudonyms.of_content(sha256)


def _require_size(num_bytes: int) -> None:
    if num_bytes > MAX_FILE_BYTES:
        advice = f"{num_bytes} bytes claimed, at most {MAX_FILE_BYTES} allowed"
        raise Refused(reason="file claims too many bytes", advice=advice)
