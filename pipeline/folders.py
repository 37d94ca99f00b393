"""Folders that appear whole or not at all, and only where this project may write."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count, takewhile
from pathlib import Path

from pipeline.disk_faults import writing_to
from pipeline.errors import InputError
from pipeline.hashes import HASHES, write_hashes

OUTPUTS = ("data", "reports")
"""Folders of a project in which its stages write."""

PARTIAL = ".partial"
"""Where folders are written before they take their places: no stage depends on it."""

MOST_TRIES = 100
"""To make a folder that others may take away; where none can be made, as in /proc, all fail."""

MANIFEST = "release.json"
"""What a release has beside the list of its files' hashes."""

LOCK = ".lock"
"""Held while a folder is written, and let go by a kill: what nobody holds is left over."""


@contextmanager
def whole_folder(target: Path, *, hashed: bool = False, new: bool = False) -> Iterator[Path]:
    """Give an empty folder that takes the target's place only if the block ends without error.

    Nothing half-written is left behind: on an error the folder goes, and the target stays as it
    was before. What a kill leaves lies in `PARTIAL`, and the next call clears it away.

    With `hashed` the files' hashes are written beside them, for `require_intact`.

    Raises `InputError` before anything is written, if something stands in the target's place that
    is not ours to replace, see `require_ours`, or with `new` anything at all, see `require_new`; or
    if the disk is full or cannot be written.
    """
    require = require_new if new else require_ours
    require(target)
    with writing_to(place_of(target)):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            message = f"{target}: a folder expected, got a file above it"
            raise InputError(message) from error
        with _workshop(target) as workshop:
            partial = workshop / target.name
            partial.mkdir()
            yield partial
            if hashed:
                write_hashes(partial)
            require(target)
            _put(partial, target, workshop)


def place_of(target: Path) -> str:
    """Return what a message calls the place of a folder.

    Of an output its kind, such as ``data/logits``; of another the folder that it stands in.
    """
    top = _output_folder(target)
    if top is None:
        return str(target.parent)
    return "/".join((top.name, *target.absolute().relative_to(top).parts[:1]))


def require_ours(target: Path) -> None:
    """Raise `InputError` if a folder would be replaced that this project did not make.

    Ours is what lies below ``data`` or ``reports`` of a project, which is told by its ``configs``
    beside them: stages and DVC alone write there, and git brings the metrics. Anywhere else, and
    in the place of a link or a file, nothing is replaced but an empty folder. A mark inside the
    folder would tell more, and change the hash of every output.
    """
    if _is_free(target):
        return
    if _output_folder(target) is None:
        message = f"{target} holds something that this project did not make: it is left as it is"
        raise InputError(message)


def require_new(target: Path) -> None:
    """Raise `InputError` if anything stands in the place of a folder that a user asked for.

    What a user names is never replaced, but for an empty folder: by a slip it could be a report or
    another release. Nor is anything put into a release, which would not be opened any more.
    """
    if not _is_free(target):
        message = f"{target} holds something already: name a new folder"
        raise InputError(message)
    for folder in target.absolute().parents:
        # A list of hashes alone may be of what was once downloaded there.
        if (folder / HASHES).is_file() and (folder / MANIFEST).is_file():
            message = f"{target} lies in the release {folder.name}: name a folder outside it"
            raise InputError(message)


def _is_free(target: Path) -> bool:
    """Return whether nothing is replaced; raise `InputError` where a folder cannot stand at all."""
    if ".." in target.parts:
        message = f"{target}: a folder expected that is named without '..'"
        raise InputError(message)
    if target.is_symlink():
        message = f"{target} is a link: remove it, so that a folder can take its place"
        raise InputError(message)
    if not target.exists():
        return True
    if not target.is_dir():
        message = f"{target} is a file: remove it, so that a folder can take its place"
        raise InputError(message)
    return not any(target.iterdir())


def _output_folder(target: Path) -> Path | None:
    """Return the ``data`` or ``reports`` of a project that a folder lies below, if any."""
    for folder in target.absolute().parents:
        if folder.name in OUTPUTS and (folder.parent / "configs").is_dir():
            return folder
    return None


@contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """Give a folder on the target's file system, cleared away at the end, and after a kill."""
    place, prefix = _place_and_prefix(target)
    _clear_leftovers(place, prefix)
    folder, lock = _locked_folder(place, prefix or f"{target.name}-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
        if place.name == PARTIAL:
            with suppress(OSError):
                place.rmdir()


def _place_and_prefix(target: Path) -> tuple[Path, str]:
    """Return where to write, and how the names of all that is left over there begin.

    Of an output that is `PARTIAL` in ``data`` or ``reports``, or as high below them as the target's
    file system reaches: moving between two is not done at once.
    """
    top = _output_folder(target)
    if top is None:
        return target.parent, f".{target.name}-"
    device = target.parent.stat().st_dev
    parents = target.absolute().parents
    inside = parents[: list(parents).index(top) + 1]
    same = list(takewhile(lambda folder: folder.stat().st_dev == device, inside))
    return same[-1] / PARTIAL, ""


def _locked_folder(place: Path, prefix: str) -> tuple[Path, int]:
    for _ in range(MOST_TRIES):
        place.mkdir(exist_ok=True)
        # Another run may take the place for one that is not needed any more, or the folder for a
        # leftover, in the moment before it is locked.
        with suppress(FileNotFoundError):
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            if _is_ours(lock) and (folder / LOCK).exists():
                return folder, lock
            os.close(lock)
    message = f"{place}: no folder can be made in it"
    raise InputError(message)


def _is_ours(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: nobody clears anything there.
        return True
    return True


def _clear_leftovers(place: Path, prefix: str) -> None:
    """Remove what nobody holds; an empty folder is one that was never locked."""
    for folder in place.glob(f"{prefix}*"):
        if place.name == PARTIAL:
            with suppress(OSError):
                folder.rmdir()
        with suppress(OSError):
            lock = os.open(folder / LOCK, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _put(partial: Path, target: Path, workshop: Path) -> None:
    """Move a folder to its place, and what is there out of it, also while another run does so."""
    for number in count():
        with suppress(FileNotFoundError):
            target.replace(workshop / f"before-{number}")
        try:
            partial.replace(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return
