"""Decode one PNG, JPEG or TIFF file, without trust in what it says of its size."""

from __future__ import annotations

import io
import math
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.adapters.refused import Refused

FORMATS = ("PNG", "JPEG", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
MAX_PIXELS = 2**26
"""67 megapixels, more than any camera's or scanner's plane; refused before allocation."""
MAX_SIDE = 2**16 - 1
"""What a JPEG can hold along a side, and DICOM along rows and columns."""

_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I", "F")


def decode_picture(content: bytes, *, channels: int) -> np.ndarray:
    """Return a picture's pixels, upright, (rows, columns, channels) in uint8.

    Colour becomes grey by its luma (ITU-R BT.601) where one channel is asked for, grey becomes
    three equal channels where three are; transparency is dropped.

    Raises
    ------
    Refused
        If the file is no picture of these formats, is truncated, claims more pixels than
        `MAX_PIXELS` or a side longer than `MAX_SIDE`, or holds several pictures or more than 8 bits
        a value.
    """
    picture = _open(content)
    sides = picture.width, picture.height
    if math.prod(sides) > MAX_PIXELS or max(sides) > MAX_SIDE:
        claimed = f"{picture.width} x {picture.height}"
        raise Refused(
            reason="picture claims too many pixels",
            advice=f"{claimed} claimed, at most {MAX_PIXELS} and {MAX_SIDE} along a side allowed",
        )
    if getattr(picture, "n_frames", 1) > 1:
        raise Refused(reason="several pictures in one file", advice="export one file a picture")
    if picture.mode in _DEEP_MODES:
        raise Refused(
            reason="more than 8 bits a value",
            advice="export it with 8 bits through a stated window, or bring it as DICOM or NIfTI",
        )
    try:
        ImageOps.exif_transpose(picture, in_place=True)
        pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
    except (OSError, ValueError, SyntaxError, IndexError) as error:
        # Pillow's own text may quote the file: it stays out of what is reported.
        raise Refused(reason="truncated or damaged picture", advice="export it again") from error
    return pixels.reshape(*pixels.shape[:2], channels)


def _open(content: bytes) -> Image.Image:
    with warnings.catch_warnings():
        # Pillow only warns of a size that is merely suspicious; the limit above is ours.
        warnings.simplefilter("ignore")
        try:
            return Image.open(io.BytesIO(content), formats=FORMATS)
        except Image.DecompressionBombError as error:
            advice = f"at most {MAX_PIXELS} allowed"
            raise Refused(reason="picture claims too many pixels", advice=advice) from error
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            advice = f"expected one of {', '.join(FORMATS)}"
            raise Refused(reason="not a picture", advice=advice) from error
