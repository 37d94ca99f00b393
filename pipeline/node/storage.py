"""Files that are whole and on the disk before anybody is told that they are kept."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from pipeline.errors import InputError

LOCK = "lock"


def private_folder(folder: Path) -> Path:
    """Return a folder that its owner alone may enter; it is made if it is not there."""
    if not folder.is_dir():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            message = f"{folder}: a folder expected, got a file there or above"
            raise InputError(message) from error
        sync_folder(folder.parent)
    folder.chmod(0o700)
    return folder


def lock_folder(folder: Path) -> int:
    """Return an open file that keeps other nodes out of a folder until the process ends.

    Raises
    ------
    InputError
        If another process holds it.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        message = f"{folder}: another node works in this folder; give each its own --data"
        raise InputError(message) from error
    return descriptor


def write_unfinished(workshop: Path, content: bytes) -> Path:
    """Return a new file in a folder, mode 600, whose content is on the disk."""
    unfinished = workshop / secrets.token_hex(16)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return unfinished


def put(unfinished: Path, target: Path) -> None:
    """Give a file its name on the same disk, in place of what stood there, whenever power goes."""
    private_folder(target.parent)
    unfinished.replace(target)
    sync_folder(target.parent)


def append_durably(path: Path, content: bytes) -> None:
    """Append to a file, mode 600, and return once that is on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, as `os.fsync` does a file's content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
