"""List what lies in a folder, linked folders too, and lose nothing without a word."""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.adapters.refused import UNREADABLE
from pipeline.errors import InputError

FAULTS = {
    "broken link": "mend or remove the link",
    "link to a folder around it": "link to what belongs to the data set",
    "neither a file nor a folder": "take it out of the folder",
    "unreadable folder": UNREADABLE[1],
    UNREADABLE[0]: UNREADABLE[1],
}
"""Why a path is listed and cannot be read, and what its owner can do."""

_BROKEN = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@dataclass(frozen=True)
class Listing:
    """The paths of a folder, relative to it, ``/`` between their parts."""

    files: list[str]
    faults: dict[str, str]
    """The path of what cannot be read, and why: one of `FAULTS`."""


def list_folder(folder: Path) -> Listing:
    """Return what lies in a folder at any depth, but for names that begin with a dot.

    A folder that several ways lead to is listed once: by its own path if it lies within, else by
    the first link to it. So a link to a folder above it ends no listing.

    Raises `InputError` if there is no such folder.
    """
    if not folder.is_dir():
        message = f"{folder}: no such folder"
        raise InputError(message)
    files: list[str] = []
    faults: dict[str, str] = {}
    root = folder.resolve()
    seen: set[Path] = set()
    folders, links = [folder], list[Path]()
    while folders or links:
        # What links lead to waits until every folder proper was listed by its own path.
        here = folders.pop() if folders else links.pop(0)
        place = here.resolve()
        if place in seen:
            continue
        seen.add(place)
        if here != folder and root.is_relative_to(place):
            faults[_path(here, folder)] = "link to a folder around it"
            continue
        for child, kind in _children(here):
            if kind == "folder":
                (links if child.is_symlink() else folders).append(child)
            elif kind == "file":
                files.append(_path(child, folder))
            else:
                faults[_path(child, folder)] = kind
    return Listing(sorted(files), dict(sorted(faults.items())))


def only_file(folder: Path, suffix: str) -> Path:
    """Return the one file in a folder that ends so; `InputError` if there is none or several."""
    paths = sorted(folder.glob(f"*{suffix}"))
    if len(paths) != 1:
        message = f"{folder}: one {suffix} file expected, got {len(paths)}"
        raise InputError(message)
    return paths[0]


def folder_state(folder: Path) -> str:
    """Return one SHA-256 for the paths, sizes and times of everything that `list_folder` lists."""
    listing = list_folder(folder)
    state = hashlib.sha256()
    facts = {name: _size_and_time(folder / name) for name in listing.files} | listing.faults
    for name, each in facts.items():
        state.update(os.fsencode(f"{name}\0{each}\0"))
    return state.hexdigest()


def canonical_path(stated: str) -> str:
    r"""Return a path as a tree spells it, whatever system or program wrote it.

    >>> canonical_path(".\\ill\\a.png"), canonical_path("./ill//a.png")
    ('ill/a.png', 'ill/a.png')
    """
    return posixpath.normpath(unicodedata.normalize("NFC", stated).replace("\\", "/"))


def is_hidden(name: str) -> bool:
    """Return whether a part of a path is left out of a listing, as a Mac's own files are.

    >>> is_hidden("._a.png"), is_hidden("..")
    (True, False)
    """
    return name.startswith(".") and name not in (".", "..")


def require_distinct(shown: Iterable[str], place: object) -> None:
    """Raise `InputError` if two files have one path as it is shown."""
    paths = list(shown)
    if num_twins := len(paths) - len(set(paths)):
        message = (
            f"{place}: paths that differ in more than their form of Unicode or their slashes "
            f"expected, got {num_twins} that do not: rename or remove the twins"
        )
        raise InputError(message)


def _children(here: Path) -> Iterator[tuple[Path, str]]:
    """Yield what lies in a folder, by name: a "file", a "folder", or why it is neither."""
    try:
        names = sorted(os.listdir(here))  # noqa: PTH208 - names alone, and these may be no text
    except OSError:
        yield here, "unreadable folder"
        return
    for child in (here / name for name in names if not is_hidden(name)):
        try:
            mode = child.stat().st_mode
        except OSError as error:
            is_broken = child.is_symlink() and error.errno in _BROKEN
            yield child, "broken link" if is_broken else UNREADABLE[0]
            continue
        if stat.S_ISDIR(mode):
            yield child, "folder"
        else:
            yield child, "file" if stat.S_ISREG(mode) else "neither a file nor a folder"


def _size_and_time(path: Path) -> str:
    try:
        known = path.stat()
    except OSError:
        return UNREADABLE[0]
    return f"{known.st_size} {known.st_mtime_ns}"


def _path(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
