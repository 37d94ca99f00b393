"""Open DICOM bytes that nobody vouches for: bounded in size, silent, and refused in our words."""

from __future__ import annotations

import struct
import zlib
from contextlib import AbstractContextManager
from io import BytesIO

from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset, read_preamble
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pipeline.adapters.refused import Refused, too_large
from pipeline.adapters.silence import silenced

DAMAGE = (
    ArithmeticError, AttributeError, BytesLengthException, EOFError, InvalidDicomError, LookupError,
    MemoryError, NotImplementedError, OSError, RuntimeError, TypeError, ValueError, struct.error,
    zlib.error,
)  # fmt: skip
"""What parsers and decoders of untrusted bytes are known to raise."""

_META_BYTES = 1024
_PIECE_BYTES = 2**20


def quiet() -> AbstractContextManager[None]:
    """Return a block within which pydicom neither warns nor logs."""
    return silenced("pydicom")


def bytes_allowed(max_pixels: int) -> int:
    """Return the most bytes that a file of so many values may hold, header included."""
    return 4 * max_pixels + 2**24


def parse(content: bytes, *, max_pixels: int, tags: list[str] | None = None) -> Dataset:
    """Return the data set in a file's bytes, its pixels not decoded.

    Parameters
    ----------
    content : bytes
        The whole file.
    max_pixels : int
        A deflated data set may inflate to `bytes_allowed` of it.
    tags : list of str, optional
        Read these elements alone, and stop before the pixels.

    Raises
    ------
    Refused
        If the bytes are no DICOM file, or inflate beyond the limit.
    """
    if not _looks_like_dicom(content):
        raise Refused(reason="no DICOM file", advice="move it out of the folder")
    try:
        _refuse_deflate_bomb(content, bytes_allowed(max_pixels))
        return dcmread(
            BytesIO(content),
            force=content[128:132] != b"DICM",
            stop_before_pixels=tags is not None,
            specific_tags=tags,
        )
    except DAMAGE as error:
        raise Refused(reason="unreadable header", advice="export the file again") from error


def _looks_like_dicom(content: bytes) -> bool:
    # Files from before the preamble was required begin with group 0002 or 0008 itself.
    bare = {b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08"}
    return content[128:132] == b"DICM" or content[:2] in bare


def _refuse_deflate_bomb(content: bytes, max_bytes: int) -> None:
    """Raise `Refused` if a deflated data set exceeds the limit, holding one piece at a time."""
    if DeflatedExplicitVRLittleEndian.encode() not in content[:_META_BYTES]:
        return
    stream = BytesIO(content)
    read_preamble(stream, force=False)
    read_dataset(stream, False, True, stop_when=lambda tag, *_: tag.group != 2)
    inflater, inflated = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while piece := inflater.unconsumed_tail or stream.read(_PIECE_BYTES):
        inflated += len(inflater.decompress(piece, _PIECE_BYTES))
        if inflated > max_bytes:
            raise too_large(inflated, "bytes and more when inflated")
