"""Decode one PNG, JPEG or TIFF file, without trust in what it says of its size or depth."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from typing import cast

import numpy as np
from PIL import Image, ImageOps
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, SAMPLEFORMAT, TiffImageFile

from pipeline.adapters.dicom.jpeg_markers import MOST_SCANS, has_few_scans, jpeg_frame
from pipeline.adapters.refused import PARSER_ERRORS, Refused, require_likely_expansion
from pipeline.adapters.silence import silenced

FORMATS = ("PNG", "JPEG", "TIFF")
MAX_PIXELS = 2**26
"""67 megapixels, more than any camera's or scanner's plane; refused before allocation."""
MAX_SIDE = 2**16 - 1
"""What a JPEG can hold along a side, and DICOM along rows and columns."""

_WITHOUT_RGB = ("LAB", "HSV")
"""Colours that the library hands over as they are stored, and does not convert."""
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


def decode_picture(content: bytes, *, channels: int) -> np.ndarray:
    """Return a picture's pixels, upright, (rows, columns, channels) in uint8.

    Colour becomes grey by its luma (ITU-R BT.601) where one channel is asked for, grey becomes
    three equal channels where three are; transparency is dropped.

    Raises `Refused` if the file is no picture of these formats, is truncated, claims more pixels
    than `MAX_PIXELS`, than its bytes can hold or a side longer than `MAX_SIDE`, or holds several
    pictures, more than 8 bits a value, or colours or a compression that nothing here reads.
    """
    require_eight_bits_of_bytes(content)
    with silenced("PIL"):
        picture = _open(content)
        try:
            _require_readable(picture, len(content))
            _require_every_row(picture)
            ImageOps.exif_transpose(picture, in_place=True)
            pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
        except PARSER_ERRORS as error:
            # Pillow's own text may quote the file: it stays out of what is reported.
            reason, advice = "truncated or damaged picture", "export it again"
            raise Refused(reason=reason, advice=advice) from error
    return pixels.reshape(*pixels.shape[:2], channels)


def _open(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        advice = f"at most {MAX_PIXELS} allowed"
        raise Refused(reason="picture claims too many pixels", advice=advice) from error
    except PARSER_ERRORS as error:
        advice = f"expected one of {', '.join(FORMATS)}, in grey or RGB of 8 bits a value"
        raise Refused(reason="not a picture", advice=advice) from error


def _require_readable(picture: Image.Image, num_bytes: int) -> None:
    """Raise `Refused` unless a picture is one, small enough, and of values that are read whole."""
    sides = picture.width, picture.height
    if math.prod(sides) > MAX_PIXELS or max(sides) > MAX_SIDE:
        claimed = f"{picture.width} x {picture.height}"
        raise Refused(
            reason="picture claims too many pixels",
            advice=f"{claimed} claimed, at most {MAX_PIXELS} and {MAX_SIDE} along a side allowed",
        )
    require_likely_expansion(math.prod(sides) * len(picture.getbands()), num_bytes)
    # To count them would read a TIFF's directories one by one, of which there may be a million.
    if getattr(picture, "is_animated", False):
        raise Refused(reason="several pictures in one file", advice="export one file a picture")
    require_eight_bits_of_tags(picture)
    if picture.mode in _WITHOUT_RGB:
        raise Refused(reason="colours that are not read", advice="export it in grey or RGB")


def _require_every_row(picture: Image.Image) -> None:
    """Raise `ValueError` if a file says of some pixels nowhere what they are: they would be black.

    What is stored plane by plane covers the picture several times.
    """
    # Every file's picture is an `ImageFile`, which alone has tiles.
    corners = [tile.extents for tile in cast(ImageFile, picture).tile if tile.extents]
    covered = sum((right - left) * (lower - upper) for left, upper, right, lower in corners)
    if covered == 0 or covered % (picture.width * picture.height):
        msg = f"expected all {picture.width * picture.height} pixels, got {covered}"
        raise ValueError(msg)


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

    Raises `Refused` if it has more chunks before its pixels than anything writes, each of which
    takes time.
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
