"""A disk that is full or cannot be written is the user's to mend: one line, not a traceback."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import InputError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""No space, no more of it for this user, or a file larger than is allowed."""

FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)
FAULTS = (*FULL, *FORBIDDEN, errno.EIO, errno.ENAMETOOLONG, errno.EXDEV)

_STATED = re.compile(r"\[Errno (\d+)\]")
_CUT_SHORT = re.compile(r"^\d+ requested and \d+ written$")
"""What NumPy says of a file that took less than it was given."""


class DiskFaultError(InputError):
    """What a disk refused: of the files that were read it says nothing."""


@contextmanager
def writing_to(place: object) -> Iterator[None]:
    """Turn what a disk refuses into a `DiskFaultError` that names the place.

    >>> with writing_to("data/checkpoints"):
    ...     raise OSError(errno.ENOSPC, "No space left on device")
    Traceback (most recent call last):
    ...
    pipeline.disk_faults.DiskFaultError: no space left in data/checkpoints
    """
    try:
        yield
    except OSError as error:
        if message := disk_fault(error, place):
            raise DiskFaultError(message) from error
        raise


def disk_fault(error: BaseException, place: object) -> str | None:
    """Return what the disk refused, as one line; None where the error is of another kind."""
    number = _number(error)
    if number is None:
        return None
    if number in FULL:
        return f"no space left in {place}"
    path = getattr(error, "filename", None)
    named = os.fsdecode(path) if isinstance(path, str | bytes) else place
    # What may not be read or written is told by its own name, wherever it lies.
    return f"{named}: {os.strerror(number)}"


def _number(error: BaseException) -> int | None:
    """Return the number of what the disk refused, if it did."""
    if not isinstance(error, OSError):
        return None
    # A copied folder's error has none of its own and lists those of its files.
    stated = _STATED.search(str(error))
    number = int(stated[1]) if error.errno is None and stated else error.errno
    if number is None and _CUT_SHORT.match(str(error)):
        number = errno.ENOSPC
    return number if number in FAULTS else None
