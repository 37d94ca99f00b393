"""Find the files among folders, archives and files that somebody hands over; lose none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.adapters.file_tree import FileTree, open_archive
from pipeline.adapters.folder_listing import FAULTS, list_folder
from pipeline.adapters.refused import Refused, require_likely_expansion
from pipeline.disk_faults import DiskFaultError
from pipeline.errors import InputError

ARCHIVE = ".zip"


@dataclass(frozen=True)
class InputFile:
    """One file, or what cannot be one.

    Attributes
    ----------
    name : str
        Its path, from the input on that it was found by. It may name a patient.
    path : Path
        Where its bytes are; of a file in an archive, where they were unpacked to.
    fault, advice : str
        Why it cannot be read; empty where it can.
    """

    name: str
    path: Path
    fault: str = ""
    advice: str = ""

    @property
    def suffix(self) -> str:
        """How its name ends, in small letters; ``.nii.gz`` is one ending."""
        return _suffix(self.name)


def find_files(inputs: Sequence[Path], scratch: Path) -> list[InputFile]:
    """Return every file of some inputs once, in the order of their names.

    Folders are listed at any depth and archives unpacked; an archive within an archive is not.
    Names are those from the input on, or from the folder around all inputs where two would be the
    same.

    Parameters
    ----------
    inputs : sequence of Path
        Files, folders and zip archives.
    scratch : Path
        An existing folder to unpack archives in.

    Raises
    ------
    InputError
        If an input does not exist, or the disk has no room for what an archive claims.
    """
    found: dict[Path, InputFile] = {}
    for each in inputs:
        for file in _files_of(each):
            found.setdefault(file.path.absolute(), file)
    files = _named_apart(list(found.values()))
    unpacked = [inner for file in files for inner in _unpacked(file, scratch)]
    return sorted(unpacked, key=lambda file: file.name)


def _files_of(given: Path) -> Iterator[InputFile]:
    if given.is_dir():
        listing = list_folder(given)
        prefix = given.resolve().name
        for name in listing.files:
            yield InputFile(f"{prefix}/{name}", given / name)
        for name, fault in listing.faults.items():
            yield InputFile(f"{prefix}/{name}", given / name, fault, FAULTS[fault])
    elif given.is_file():
        yield InputFile(given.name, given)
    else:
        message = f"{given}: no such file or folder"
        raise InputError(message)


def _named_apart(files: list[InputFile]) -> list[InputFile]:
    if len({file.name for file in files}) == len(files):
        return files
    around = Path(os.path.commonpath([file.path.absolute() for file in files]))
    return [
        replace(file, name=file.path.absolute().relative_to(around).as_posix()) for file in files
    ]


def _unpacked(file: InputFile, scratch: Path) -> Iterator[InputFile]:
    """Yield the files of an archive, or the file itself where it is none."""
    if file.suffix != ARCHIVE or file.fault:
        yield file
        return
    try:
        with open_archive(file.path) as tree:
            _require_room(tree.num_bytes(), file.path, scratch)
            if not tree.names():
                yield replace(file, fault="archive without a file", advice="pack it again")
            yield from _members(file, tree, Path(tempfile.mkdtemp(dir=scratch)))
    except DiskFaultError:
        raise
    except Refused as refused:
        yield replace(file, fault=refused.reason, advice=refused.advice)
    except InputError:
        # Its own words would name the file.
        yield replace(file, fault="damaged or no archive", advice="pack it again")


def _members(archive: InputFile, tree: FileTree, folder: Path) -> Iterator[InputFile]:
    """Yield what an archive holds; it is written under a number, so that no name leads away."""
    for number, name in enumerate(tree.names()):
        file = InputFile(f"{archive.name}/{name}", folder / f"{number}{_suffix(name)}")
        if file.suffix == ARCHIVE:
            yield replace(file, fault="archive in an archive", advice="unpack it first")
            continue
        try:
            file.path.write_bytes(tree.read(name))
        except Refused as refused:
            file = replace(file, fault=refused.reason, advice=refused.advice)
        yield file


def _require_room(claimed: int, archive: Path, scratch: Path) -> None:
    require_likely_expansion(claimed, archive.stat().st_size)
    if claimed > shutil.disk_usage(scratch).free:
        message = f"{archive}: no room to unpack its {claimed} bytes"
        raise DiskFaultError(message)


def _suffix(name: str) -> str:
    lowered = name.rsplit("/", 1)[-1].lower()
    return ".nii.gz" if lowered.endswith(".nii.gz") else Path(lowered).suffix
