"""Open DICOM files that nobody vouches for: bounded in size, silent, and refused in our words."""

from __future__ import annotations

import os
import zlib
from contextlib import AbstractContextManager
from typing import BinaryIO, cast

from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset, read_preamble
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pipeline.adapters.refused import PARSER_ERRORS, Refused, require_likely_expansion, too_large
from pipeline.adapters.silence import silenced

DAMAGE = (*PARSER_ERRORS, BytesLengthException, InvalidDicomError)
"""What parsers and decoders of untrusted bytes are known to raise."""

_META_BYTES = 1024
_PIECE_BYTES = 2**20


def quiet() -> AbstractContextManager[None]:
    """Return a block within which pydicom neither warns nor logs."""
    return silenced("pydicom")


def bytes_allowed(max_pixels: int) -> int:
    """Return the most bytes that a file of so many values may hold, header included."""
    return 4 * max_pixels + 2**24


def parse(file: BinaryIO, *, max_pixels: int, tags: list[str] | None = None) -> Dataset:
    """Return the data set in a file, its pixels not decoded.

    The file is open at its beginning; what is returned does not need it any more. A deflated data
    set may inflate to `bytes_allowed` of `max_pixels`. With `tags` these elements alone are read,
    and nothing from the pixels on.

    Raises `Refused` if it is no DICOM file, or inflates beyond the limit.
    """
    # pydicom asks no more of a file than to read, seek and tell.
    bounded = cast(BinaryIO, _NoLongerThanItIs(file))
    start = bounded.read(_META_BYTES)
    bounded.seek(0)
    if not _looks_like_dicom(start):
        raise Refused(reason="no DICOM file", advice="move it out of the folder")
    try:
        if DeflatedExplicitVRLittleEndian.encode() in start:
            _refuse_deflate_bomb(bounded, bytes_allowed(max_pixels))
        return dcmread(
            bounded,
            force=start[128:132] != b"DICM",
            stop_before_pixels=tags is not None,
            specific_tags=tags,
        )
    except DAMAGE as error:
        raise Refused(reason="unreadable header", advice="export the file again") from error


class _NoLongerThanItIs:
    """A file in which no claim of a length sets aside more memory than there are bytes left."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._num_bytes = file.seek(0, os.SEEK_END)
        self.seek, self.tell = file.seek, file.tell
        self.seek(0)

    def read(self, num_bytes: int = -1) -> bytes:
        """Return the next bytes, as many as there are at most."""
        if num_bytes > _META_BYTES:
            num_bytes = min(num_bytes, max(self._num_bytes - self.tell(), 0))
        return self._file.read(num_bytes)


def _looks_like_dicom(start: bytes) -> bool:
    # Files from before the preamble was required begin with group 0002 or 0008 itself.
    bare = {b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08"}
    return start[128:132] == b"DICM" or start[:2] in bare


def _refuse_deflate_bomb(file: BinaryIO, max_bytes: int) -> None:
    """Raise `Refused` if a deflated data set exceeds the limit, holding one piece at a time."""
    num_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    read_preamble(file, force=False)
    read_dataset(file, False, True, stop_when=lambda tag, *_: tag.group != 2)
    inflater, inflated = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while piece := inflater.unconsumed_tail or file.read(_PIECE_BYTES):
        inflated += len(inflater.decompress(piece, _PIECE_BYTES))
        if inflated > max_bytes:
            raise too_large(inflated, "bytes and more when inflated")
        require_likely_expansion(inflated, num_bytes)
    file.seek(0)
