"""Bring a data set's files here, from a mirror or from their URL, and verify every one."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import pooch

from pipeline.config import Dataset, SourceFile
from pipeline.errors import InputError
from pipeline.hashes import file_digest

MIRROR_VARIABLE = "PIPELINE_MIRROR"


def acquire_files(raw: Path, dataset: Dataset) -> None:
    """Put each of the data set's files into the raw folder.

    A file is looked for by name and checksum in each directory of the environment's
    ``PIPELINE_MIRROR`` (separated by colons), then fetched from its URL.

    Raises `InputError` if a file is in no mirror and cannot be fetched, or has another checksum
    than stated.
    """
    directories = mirrors()
    for file in dataset.files:
        acquire_file(file, raw, directories)


def mirrors() -> list[Path]:
    """Return the directories of the environment's ``PIPELINE_MIRROR`` in their order."""
    return [Path(each) for each in os.environ.get(MIRROR_VARIABLE, "").split(os.pathsep) if each]


def acquire_file(file: SourceFile, raw: Path, directories: list[Path]) -> None:
    """Put one verified file into the raw folder; raise `InputError` saying where it was sought."""
    target = raw / file.name
    refusals = [
        refusal
        for directory in directories
        if (refusal := _copy_verified(file, directory, target)) is not None
    ]
    if target.exists():
        return
    searched = ", ".join(str(directory) for directory in directories) or "none is set"
    sought = "; ".join([f"mirrors searched: {searched}", *refusals])
    if file.url is None:
        message = (
            f"{file.name}: not found and it has no public URL ({sought}): "
            f"put it into a directory named by {MIRROR_VARIABLE}"
        )
        raise InputError(message)
    _fetch(file, file.url, target, sought)


def _copy_verified(file: SourceFile, directory: Path, target: Path) -> str | None:
    """Copy the file if this mirror has it; return why not where one of its name is another."""
    source = directory / file.name
    if target.exists() or not source.is_file():
        return None
    # A copy, not a hard link: DVC changes the permissions of what it tracks, and a link would
    # pass them on to the mirror. The copy is what is verified, since the copy is what is read.
    shutil.copyfile(source, target)
    if (fault := _checksum_fault(file, target)) is None:
        return None
    target.unlink()
    return f"{source} {fault}"


def _fetch(file: SourceFile, url: str, target: Path, sought: str) -> None:
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        # Verified below rather than by pooch, so that the message says what came and from where.
        pooch.retrieve(url, known_hash=None, fname=target.name, path=target.parent)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        message = (
            f"{file.name}: not found ({sought}) and {url} cannot be fetched ({reason:.200}): put "
            f"the file into a directory named by {MIRROR_VARIABLE}, or connect to the network"
        )
        raise InputError(message) from error
    if (fault := _checksum_fault(file, target)) is not None:
        target.unlink()
        message = f"{file.name}: the file from {url} {fault}"
        raise InputError(message)


def _checksum_fault(file: SourceFile, path: Path) -> str | None:
    algorithm, expected = file.checksum
    got = file_digest(path, algorithm)
    return None if got == expected else f"has {algorithm} {got}, expected {expected}"
