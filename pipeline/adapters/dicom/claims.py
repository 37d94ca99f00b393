"""Hold what a header claims of its pixels against limits and against the bytes that are there."""

from __future__ import annotations

import math
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from pipeline.adapters.dicom.decoders import is_uncompressed, stated_syntax
from pipeline.adapters.dicom.elements import text, unusable, whole
from pipeline.adapters.refused import Refused, require_likely_expansion, too_large

MAX_FRAMES = 2**16 - 1
"""As many frames as an image can have rows or columns (DICOM PS3.3 C.7.6.3)."""
_SAMPLES = (1, 3)
_BYTES_A_FRAGMENT = 8
"""A compressed frame takes an item of its own at least: a tag and a length."""
_DEFLATED_AT_MOST = 1032
"""DEFLATE's highest ratio."""
_STORED_SHARE = {"YBR_FULL_422": 2 / 3, "YBR_PARTIAL_422": 2 / 3, "YBR_PARTIAL_420": 1 / 2}
"""What is stored of three samples where colours are of fewer pixels than brightness."""


def claimed_values(header: Dataset) -> int:
    """Return how many values a header claims; what it leaves out counts once."""
    names = ("Rows", "Columns", "SamplesPerPixel", "NumberOfFrames")
    return math.prod(1 if (value := whole(header, name)) is None else value for name in names)


def claimed_size(header: Dataset) -> dict[str, Any]:
    """Return a file's rows, columns, samples and frames, by the names of the index.

    Raises `Refused` if there is no image, or one of them cannot be used.
    """
    num_rows, num_columns = whole(header, "Rows") or 0, whole(header, "Columns") or 0
    if num_rows <= 0 or num_columns <= 0:
        advice = "it may be a report, a plan or a directory: move it out of the folder"
        raise Refused(reason="no image in the file", advice=advice)
    num_samples, num_frames = whole(header, "SamplesPerPixel"), whole(header, "NumberOfFrames")
    if num_samples not in (None, *_SAMPLES):
        raise unusable(keyword="SamplesPerPixel", expected="1 or 3")
    if num_frames is not None and num_frames < 1:
        raise unusable(keyword="NumberOfFrames", expected="a whole number from 1")
    if num_frames is not None and num_frames > MAX_FRAMES:
        advice = f"it claims {num_frames} frames, {MAX_FRAMES} can be read: split it"
        raise Refused(reason="too large", advice=advice)
    return {
        "num_rows": num_rows,
        "num_columns": num_columns,
        "num_samples": num_samples or 1,
        "num_frames": num_frames or 1,
    }


def require_bytes_for_claims(header: Dataset, num_bytes: int, *, max_pixels: int) -> None:
    """Raise `Refused` if a file of so many bytes cannot hold the pixels that its header claims."""
    claimed = claimed_values(header)
    if claimed > max_pixels:
        raise too_large(claimed, "values")
    syntax = stated_syntax(header)
    needed = _fewest_bytes(header, syntax, claimed)
    if num_bytes < needed:
        advice = f"expected {needed} bytes or more, got {num_bytes}: export the file again, whole"
        raise Refused(reason="fewer pixels than its header claims", advice=advice)
    # What is not compressed is no longer than the file.
    if not is_uncompressed(syntax) or syntax == DeflatedExplicitVRLittleEndian:
        require_likely_expansion(_unfolded_bytes(header, claimed), num_bytes)


def _unfolded_bytes(header: Dataset, claimed: int) -> int:
    return claimed * (whole(header, "BitsAllocated") or 1) // 8


def _fewest_bytes(header: Dataset, syntax: UID | None, claimed: int) -> int:
    if not is_uncompressed(syntax):
        return _BYTES_A_FRAGMENT * (whole(header, "NumberOfFrames") or 1)
    share = _STORED_SHARE.get(text(header, "PhotometricInterpretation"), 1.0)
    stored = math.floor(share * _unfolded_bytes(header, claimed))
    return stored // _DEFLATED_AT_MOST if syntax == DeflatedExplicitVRLittleEndian else stored
