"""The one error a user can mend: what was expected, what came, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""What ends a line, drives a terminal or turns the direction of writing."""

MAX_LENGTH = 2000
"""Characters of a message: enough to list what there is, too few to print a file."""


class InputError(ValueError):
    r"""A file, a configuration or a case that is not what it must be.

    The command line prints its message as one line and exits with code 2; every other exception is
    a defect of ours and keeps its traceback. Control characters, which a name or a path may hold,
    are shown as '?', and what is longer than `MAX_LENGTH` is cut.

    >>> str(InputError("no row 'a\nb'"))
    "no row 'a?b'"
    """

    def __init__(self, message: str) -> None:
        line = CONTROL.sub("?", message)
        super().__init__(line if len(line) <= MAX_LENGTH else f"{line[: MAX_LENGTH - 3]}...")


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
