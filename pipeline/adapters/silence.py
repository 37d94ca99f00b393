"""Keep image libraries quiet: what they warn of quotes the header, and with it the patient."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

Result = TypeVar("Result")

_MOST_BYTES = 2**16


@contextmanager
def silenced(library: str) -> Iterator[None]:
    """Silence all warnings and a library's loggers until the block ends."""
    logger, nobody = logging.getLogger(library), logging.NullHandler()
    before = logger.disabled, logger.propagate
    # The loggers of its modules go by this one's handlers: to nobody, and no further.
    logger.disabled, logger.propagate = True, False
    logger.addHandler(nobody)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.removeHandler(nobody)
        logger.disabled, logger.propagate = before


def overheard(function: Callable[[], Result]) -> tuple[Result, bytes]:
    """Return what a function returns, and what the process wrote on standard error meanwhile.

    A library in C complains there whatever Python's `sys.stderr` is. What is more than a pipe
    holds is lost.
    """
    hear, tell = os.pipe()
    for end in (hear, tell):
        os.set_blocking(end, False)
    stderr = os.dup(2)
    try:
        os.dup2(tell, 2)
        try:
            result = function()
        finally:
            os.dup2(stderr, 2)
        complaints = b""
        with suppress(BlockingIOError):
            complaints = os.read(hear, _MOST_BYTES)
        return result, complaints
    finally:
        for each in (hear, tell, stderr):
            os.close(each)
