"""Look at what a compressed frame claims of itself, before a decoder believes it."""

from __future__ import annotations

from io import BytesIO

from pydicom import Dataset
from pydicom.encaps import get_frame, parse_basic_offsets, parse_fragments

from pipeline.adapters.dicom.elements import whole
from pipeline.adapters.dicom.jpeg_markers import (
    MOST_SCANS,
    bare_jpeg,
    has_few_scans,
    jpeg_frame,
)
from pipeline.adapters.refused import Refused

FrameOffsets = tuple[list[int], list[int]]
"""Where each frame's item begins, counted from the first one's tag, and how long its value is."""


def frame_offsets(dataset: Dataset) -> FrameOffsets | None:
    """Return where compressed frames begin that a file does not say, if each is one fragment.

    The library would look for each frame from the first one on: an hour for 65,000.
    """
    if "ExtendedOffsetTable" in dataset:
        return dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths
    data = dataset.PixelData
    buffer = BytesIO(data)
    if parse_basic_offsets(buffer):
        return None
    first = buffer.tell()
    num_fragments, starts = parse_fragments(buffer)
    if num_fragments != (whole(dataset, "NumberOfFrames") or 1):
        return None
    lengths = [int.from_bytes(data[start + 4 : start + 8], "little") for start in starts]
    return [start - first for start in starts], lengths


def require_sound_claims(dataset: Dataset, frame: int, offsets: FrameOffsets | None = None) -> None:
    """Raise unless a compressed frame is of its header's size, of a known kind and all there.

    The header's claim was checked against the limit; a decoder allocates what the frame claims, and
    decoders wait for seconds or for ever, or make up the rest, where a JPEG was cut off.

    Raises `Refused` if the frame is of another size, or a JPEG of a kind that no decoder here reads
    or of so many scans that it would take for ever. Raises `ValueError` if a JPEG has no end.
    """
    num_frames = whole(dataset, "NumberOfFrames") or 1
    stream = get_frame(
        dataset.PixelData, frame, number_of_frames=num_frames, extended_offsets=offsets
    )
    size = codestream_size(stream)
    stated = whole(dataset, "Rows"), whole(dataset, "Columns")
    if size is not None and size != stated:
        advice = "the compressed image is of another size: export the file again"
        raise Refused(reason="pixel data disagrees with its header", advice=advice)
    jpeg = jpeg_frame(stream)
    if jpeg is None:
        return
    if not jpeg.has_decoder:
        advice = "no decoder here reads this kind of JPEG: export it uncompressed"
        raise Refused(reason="compression without a decoder", advice=advice)
    if not has_few_scans(stream):
        advice = f"expected {MOST_SCANS} scans or fewer in an image: export it again"
        raise Refused(reason="JPEG of too many scans", advice=advice)
    if bare_jpeg(stream) is None:
        msg = f"expected a JPEG that ends, got {len(stream)} bytes without an end"
        raise ValueError(msg)


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
    frame = jpeg_frame(stream)
    return (frame.num_rows, frame.num_columns) if frame and frame.num_rows else None
