"""Look at what a compressed frame claims of its own size, before a decoder believes it."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.encaps import get_frame

from pipeline.adapters.dicom.elements import whole
from pipeline.adapters.refused import Refused

_STARTS_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""JPEG (ITU-T T.81, table B.1) and JPEG-LS (T.87) markers that carry the image's size."""


def require_claimed_size(dataset: Dataset, frame: int) -> None:
    """Raise `Refused` if a compressed frame's size is not the one its header states.

    The header's claim was checked against the limit; a decoder allocates what the frame claims.
    """
    offsets = None
    if "ExtendedOffsetTable" in dataset:
        offsets = dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths
    num_frames = max(whole(dataset, "NumberOfFrames") or 1, 1)
    stream = get_frame(
        dataset.PixelData, frame, number_of_frames=num_frames, extended_offsets=offsets
    )
    size = codestream_size(stream)
    stated = whole(dataset, "Rows"), whole(dataset, "Columns")
    if size is not None and size != stated:
        advice = "the compressed image is of another size: export the file again"
        raise Refused(reason="pixel data disagrees with its header", advice=advice)


def codestream_size(stream: bytes) -> tuple[int, int] | None:
    """Return the (rows, columns) that a JPEG, JPEG-LS or JPEG 2000 stream claims, None for others.

    A JPEG may leave its height to be counted (0): then there is nothing to compare.

    >>> codestream_size(bytes.fromhex("ffd8 ffc0 0011 08 0040 0020 03"))
    (64, 32)
    """
    if stream[:4] == b"\xff\x4f\xff\x51":  # ITU-T T.800, A.5.1: size, less the offset
        width, height, left, top = (
            int.from_bytes(stream[at : at + 4], "big") for at in (8, 12, 16, 20)
        )
        return height - top, width - left
    if stream[:2] == b"\xff\xd8":
        return _jpeg_size(stream)
    return None


def _jpeg_size(stream: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _STARTS_OF_FRAME:
            rows = int.from_bytes(stream[at + 5 : at + 7], "big")
            columns = int.from_bytes(stream[at + 7 : at + 9], "big")
            return (rows, columns) if rows else None
        else:
            at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return None
