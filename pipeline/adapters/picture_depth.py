"""How many bits a value of a picture has, as its own header says it.

The image library tells of 16-bit colour that it is RGB, and hands over its high bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PIL import Image
from PIL.TiffImagePlugin import BITSPERSAMPLE, SAMPLEFORMAT, TiffImageFile

from pipeline.adapters.dicom.jpeg_markers import MOST_SCANS, has_few_scans, jpeg_frame
from pipeline.adapters.refused import Refused

BITS = 8
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_START = b"\xff\xd8"
_MOST_CHUNKS = 1000
_DEPTH_IN_IHDR = 8
"""Behind the width and the height, four bytes each (PNG specification, 11.2.1)."""
_DECODED_PROCESSES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
"""Baseline, extended and progressive JPEG, by Huffman or arithmetic codes (ITU-T T.81, B.1)."""
_UNSIGNED = 1
"""How a TIFF says that its values are whole and not negative (TIFF 6.0, p. 80)."""


def require_eight_bits_of_bytes(content: bytes) -> None:
    """Raise `Refused` if a PNG or JPEG says that it is deeper, or is one that nothing here reads.

    To be asked before the image library is: of a deeper JPEG it says that it is no picture.
    """
    if content.startswith(_PNG_SIGNATURE):
        _require_eight(_png_depths(content))
    if content.startswith(_JPEG_START) and not has_few_scans(content):
        advice = f"expected {MOST_SCANS} scans or fewer: export it again"
        raise Refused(reason="JPEG of too many scans", advice=advice)
    frame = jpeg_frame(content)
    if frame is not None:
        _require_eight([frame.precision])
        if frame.process not in _DECODED_PROCESSES:
            advice = "no decoder here reads this kind of JPEG: export it as PNG"
            raise Refused(reason="compression without a decoder", advice=advice)


def require_eight_bits_of_tags(picture: Image.Image) -> None:
    """Raise `Refused` if a TIFF's tags say that its values are deeper, signed or floating."""
    if not isinstance(picture, TiffImageFile):
        return
    _require_eight(picture.tag_v2.get(BITSPERSAMPLE, (1,)))
    if {*picture.tag_v2.get(SAMPLEFORMAT, (_UNSIGNED,))} != {_UNSIGNED}:
        advice = "expected whole numbers from 0 to 255: export it so, or bring it as NIfTI"
        raise Refused(reason="values are signed or no whole numbers", advice=advice)


def _require_eight(depths: Iterable[int]) -> None:
    if max(depths, default=0) > BITS:
        advice = "export it with 8 bits through a stated window, or bring it as DICOM or NIfTI"
        raise Refused(reason="more than 8 bits a value", advice=advice)


def _png_depths(content: bytes) -> Iterator[int]:
    """Yield the depth of every header of a PNG, of which there should be one.

    Raises
    ------
    Refused
        If it has more chunks before its pixels than anything writes, each of which takes time.
    """
    start = len(_PNG_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        kind = content[start + 4 : start + 8]
        if kind in (b"", b"IDAT"):
            return
        depth_at = start + 8 + _DEPTH_IN_IHDR
        if kind == b"IHDR" and depth_at < len(content):
            yield content[depth_at]
        start += 12 + int.from_bytes(content[start : start + 4], "big")
    advice = f"expected {_MOST_CHUNKS} chunks or fewer before its pixels: export it again"
    raise Refused(reason="PNG of too many chunks", advice=advice)
