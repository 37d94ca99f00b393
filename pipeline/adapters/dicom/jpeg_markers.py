"""Read the markers of a JPEG stream (ITU-T T.81, annex B), up to its first scan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LOSSLESS, _JPEG_LS = 0xC3, 0xF7
_STARTS_OF_FRAME = {*range(0xC0, 0xD0), _JPEG_LS} - {0xC4, 0xC8, 0xCC}
"""JPEG (table B.1) and JPEG-LS (T.87) markers that carry the image's size."""
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
_APPLICATIONS_AND_COMMENTS = {*range(0xE0, 0xF0), 0xFE}
MOST_SCANS = 100
"""Encoders write ten; a decoder goes through the whole image for each, however short it is."""
_START_OF_IMAGE, _END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"
_START_OF_SCAN = 0xDA
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
"""One with a length or the end; within a scan 0xFF is followed by 0 or the number of a restart."""


@dataclass(frozen=True)
class JpegFrame:
    """What a JPEG or JPEG-LS stream says of its image before the first scan."""

    process: int
    """The second byte of the marker: 0xC0 baseline, 0xC1 extended, 0xC2 progressive, 0xC3 lossless,
    0xF7 JPEG-LS; all others are arithmetic-coded or hierarchical."""
    precision: int
    """Bits of a sample."""
    num_rows: int
    num_columns: int
    num_components: int
    """The image's size."""

    @property
    def has_decoder(self) -> bool:
        """Whether there is a decoder for such a stream, whatever its transfer syntax."""
        if self.process == _JPEG_LS:
            return True
        known_bits = self.precision in (range(2, 17) if self.process == _LOSSLESS else (8, 12))
        known_shape = self.num_components in (1, 3) and self.num_rows > 0
        return self.process <= _LOSSLESS and known_bits and known_shape


def jpeg_frame(stream: bytes) -> JpegFrame | None:
    """Return the frame header of a JPEG or JPEG-LS stream, None where there is none.

    >>> jpeg_frame(bytes.fromhex("ffd8 ffc1 0011 0c 0040 0020 01")).precision
    12
    """
    for marker, start, _ in _segments(stream):
        if marker in _STARTS_OF_FRAME and start + 10 <= len(stream):
            rows, columns = (
                int.from_bytes(stream[at : at + 2], "big") for at in (start + 5, start + 7)
            )
            return JpegFrame(marker, stream[start + 4], rows, columns, stream[start + 9])
    return None


def has_few_scans(stream: bytes) -> bool:
    """Return whether a JPEG or JPEG-LS stream has no more than `MOST_SCANS` up to its end.

    >>> scan = bytes.fromhex("ffda 0002 00")
    >>> [has_few_scans(bytes.fromhex("ffd8") + number * scan) for number in (100, 101)]
    [True, False]
    """
    num_scans, start = 0, len(_START_OF_IMAGE)
    while num_scans <= MOST_SCANS and (found := _MARKER.search(stream, start)):
        if found[0] == _END_OF_IMAGE:
            break
        num_scans += found[0][1] == _START_OF_SCAN
        # What applications note may look like anything, and so is passed over.
        start = found.end() + int.from_bytes(stream[found.end() : found.end() + 2], "big")
    return num_scans <= MOST_SCANS


def bare_jpeg(stream: bytes) -> bytes | None:
    """Return the parts of a JPEG that make its image, or None if it was cut off.

    What applications note and comments are left out. The end is said twice: GDCM never returns from
    skipping a segment whose length is the last that there is, and so there is always more.

    >>> bare_jpeg(bytes.fromhex("ffd8 fffe 0004 aaaa ffda 0002 bbbb ffd9 00")).hex()
    'ffd8ffda0002bbbbffd9ffd9'
    """
    parts = [_START_OF_IMAGE]
    for marker, start, end in _segments(stream):
        if marker == _START_OF_SCAN:
            # No scan holds an end: its bytes of 0xFF are followed by 0 or the number of a restart.
            image_end = stream.rfind(_END_OF_IMAGE)
            parts += [stream[start:image_end], 2 * _END_OF_IMAGE]
            return b"".join(parts) if image_end >= end else None
        if marker not in _APPLICATIONS_AND_COMMENTS:
            parts.append(stream[start:end])
    return None


def _segments(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield every marker up to the first scan's, and where it begins and its segment ends."""
    start = len(_START_OF_IMAGE) if stream.startswith(_START_OF_IMAGE) else len(stream)
    while start + 4 <= len(stream) and stream[start] == 0xFF:
        marker = stream[start + 1]
        if marker == 0xFF:  # a fill byte
            start += 1
        elif marker in _WITHOUT_LENGTH:
            start += 2
        else:
            end = start + 2 + int.from_bytes(stream[start + 2 : start + 4], "big")
            yield marker, start, end
            start = len(stream) if marker == _START_OF_SCAN else end
