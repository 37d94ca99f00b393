"""Why a file or case is left out, in our own words."""

from __future__ import annotations

import struct
import zlib

PARSER_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
    NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error,
    zlib.error,
)  # fmt: skip
"""What parsers and decoders of bytes that nobody vouches for are known to raise."""

UNREADABLE = ("unreadable file", "check the disk and its rights")
"""The reason and the advice where the system itself refuses a file."""

_MOST_EXPANSION = 500
"""An empty image is compressed 1,000-fold, scans of little else than background 80-fold."""
_WORTH_ASKING = 2**24
"""Bytes: what unfolds to fewer costs nothing, however empty it is."""


class Refused(Exception):  # noqa: N818 - it is an outcome that a reader reports, not a defect
    """Raised where a file turns out to be unusable; readers turn it into `Quarantined`.

    Its texts are ours alone: an image library's own message may quote the header, and with it the
    patient.
    """

    def __init__(self, *, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


def too_large(claimed: int, unit: str) -> Refused:
    """Return the refusal of a file that claims more than the limit."""
    advice = f"it claims {claimed} {unit}: if that is right, raise 'max_pixels'"
    return Refused(reason="too large", advice=advice)


def require_likely_expansion(unfolded: int, num_bytes: int) -> None:
    """Raise `Refused` if so few bytes unfold to so many that they can hold no image.

    >>> require_likely_expansion(500 * 10**6, 10**6)
    >>> require_likely_expansion(501 * 10**6, 10**6)
    Traceback (most recent call last):
    ...
    pipeline.adapters.refused.Refused: compressed too far to hold an image
    """
    if unfolded > max(_WORTH_ASKING, _MOST_EXPANSION * num_bytes):
        advice = f"its {num_bytes} bytes unfold to {unfolded}: no scan does, take it out"
        raise Refused(reason="compressed too far to hold an image", advice=advice)
