"""The one error a user can mend: what was expected, what came, and where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """A file, a configuration or a case that is not what it must be.

    The command line prints its message as one line and exits with code 2; every other exception is
    a defect of ours and keeps its traceback.
    """


@contextmanager
def located(place: object) -> Iterator[None]:
    """Name the file, key or case in front of any `InputError` raised inside.

    >>> with located("cases.csv, row 3"):
    ...     raise InputError("label must lie in [0, 4), got 7")
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: cases.csv, row 3: label must lie in [0, 4), got 7

    A place that the message begins with already is not named twice.
    """
    try:
        yield
    except InputError as error:
        if str(error).startswith(f"{place}:"):
            raise
        message = f"{place}: {error}"
        raise InputError(message) from error
