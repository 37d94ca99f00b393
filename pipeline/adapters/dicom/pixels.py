"""Decode the frames of one DICOM file into physical values or colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.pixels import apply_color_lut
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.adapters.dicom.claims import claimed_values
from pipeline.adapters.dicom.codestreams import (
    FrameOffsets,
    frame_offsets,
    require_sound_claims,
)
from pipeline.adapters.dicom.decoders import decoded_arrays, require_decoder, stated_syntax
from pipeline.adapters.dicom.elements import numbers, text, unusable, whole
from pipeline.adapters.dicom.opening import DAMAGE, parse
from pipeline.adapters.dicom.values import (
    Displayed,
    displayed,
    padding,
    rescaled,
    states_rescale,
)
from pipeline.adapters.refused import Refused, too_large
from pipeline.adapters.windowing import Window

_GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
_COLOURS = (
    "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT",
)  # fmt: skip
_PIXEL_ELEMENTS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def require_pixel_format(dataset: Dataset) -> None:
    """Raise `Refused` where an element of the pixels' format is unusable (DICOM PS3.3 C.7.6.3).

    What is absent is left to the decoder, which knows what it cannot do without.
    """
    num_samples = whole(dataset, "SamplesPerPixel") or 1
    if num_samples not in (1, 3):
        raise unusable(keyword="SamplesPerPixel", expected="1 or 3")
    photometric = text(dataset, "PhotometricInterpretation")
    known = _GREY if num_samples == 1 else _COLOURS
    if photometric and photometric not in known:
        raise unusable(keyword="PhotometricInterpretation", expected=f"one of {', '.join(known)}")
    for keyword in ("PixelRepresentation", "PlanarConfiguration"):
        if whole(dataset, keyword) not in (None, 0, 1):
            raise unusable(keyword=keyword, expected="0 or 1")
    _require_bits(dataset)


def _require_bits(dataset: Dataset) -> None:
    allocated, stored, high = (
        whole(dataset, keyword) for keyword in ("BitsAllocated", "BitsStored", "HighBit")
    )
    if allocated is not None and allocated not in (1, 8, 16, 32, 64):
        raise unusable(keyword="BitsAllocated", expected="1, 8, 16, 32 or 64")
    if stored is None:
        return
    if stored < 1 or stored > (allocated or stored):
        raise unusable(keyword="BitsStored", expected=f"a whole number from 1 to {allocated}")
    # The lowest bits would be read along with the values, all of which would be multiplied by them.
    if high is not None and high != stored - 1:
        raise unusable(keyword="HighBit", expected=f"{stored - 1}, one below BitsStored,")


@dataclass(frozen=True)
class Plane:
    """One decoded frame."""

    values: np.ndarray
    """Grey: float32 (rows, columns), rescaled (hounsfield for CT). Colour: uint8 (rows, columns,
    3), RGB."""
    window: Window | None = None
    """What the header says is to be seen; none for colour."""
    inverted: bool = False
    """Whether low values are bright (MONOCHROME1)."""
    translated: bool = False
    """Whether the values passed a table or a sigmoid for display, and so lost their unit."""
    padding: np.ndarray | None = None
    """Where the frame was filled up and shows no patient; none where it shows one everywhere;
    (rows, columns)."""
    is_rescaled: bool = False
    """Whether the header says how stored values become physical ones."""

    @property
    def is_colour(self) -> bool:
        """Whether the values are colours."""
        return self.values.ndim == 3


def decoded_planes(
    path: Path, frames: Sequence[int], *, max_pixels: int, presented: bool
) -> Iterator[Plane]:
    """Yield some frames of a file, in the order asked for.

    Raises `Refused` if the file is damaged, too large, holds no pixels, states what cannot be used,
    or there is no decoder for it.

    Parameters
    ----------
    frames : sequence of int
        Frame numbers, from 0.
    max_pixels : int
        Refuse a file that claims more values, before memory is set aside for them.
    presented : bool
        Whether what the header says of display is followed: its window is read, its look-up table
        or sigmoid (VOI LUT) applied.
    """
    with path.open("rb") as file:
        dataset = parse(file, max_pixels=max_pixels)
    _require_decodable(dataset, max_pixels)
    offsets = _offsets(dataset)
    decoded = decoded_arrays(dataset, frames, offsets)
    for frame in frames:
        try:
            if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
                require_sound_claims(dataset, frame, offsets)
            yield _plane(next(decoded), dataset, frame, presented=presented)
        except (*DAMAGE, StopIteration) as error:
            raise _damaged() from error


def _offsets(dataset: Dataset) -> FrameOffsets | None:
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return None
    try:
        return frame_offsets(dataset)
    except DAMAGE as error:
        raise _damaged() from error


def _damaged() -> Refused:
    advice = "it is truncated or damaged: export it again"
    return Refused(reason="pixel data cannot be decoded", advice=advice)


def _require_decodable(dataset: Dataset, max_pixels: int) -> None:
    if not any(name in dataset for name in _PIXEL_ELEMENTS):
        raise Refused(reason="no pixel data", advice="it is truncated or was sent without")
    claimed = claimed_values(dataset)
    if claimed > max_pixels:
        raise too_large(claimed, "values")
    require_decoder(_completed_syntax(dataset))
    require_pixel_format(dataset)


def _completed_syntax(dataset: Dataset) -> UID:
    """Return the transfer syntax, completing a header that lacks it by how it was parsed."""
    stated = stated_syntax(dataset)
    if stated is not None:
        return stated
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    implicit, little_endian = dataset.original_encoding
    explicit = ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return dataset.file_meta.TransferSyntaxUID


def _plane(stored: np.ndarray, dataset: Dataset, frame: int, *, presented: bool) -> Plane:
    photometric = text(dataset, "PhotometricInterpretation")
    if photometric == "PALETTE COLOR":
        descriptor = numbers(dataset, "RedPaletteColorLookupTableDescriptor", 3)
        return Plane(_eight_bits(apply_color_lut(stored, dataset), bits=int(descriptor[2])))
    if stored.ndim == 3:
        return Plane(_eight_bits(stored, bits=whole(dataset, "BitsStored") or 8))
    values = rescaled(stored, dataset, frame)
    shown = displayed(values, dataset, frame) if presented else Displayed(values, None)
    return Plane(
        shown.values,
        shown.window,
        inverted=photometric == "MONOCHROME1",
        translated=shown.translated,
        padding=padding(stored, dataset),
        is_rescaled=states_rescale(dataset, frame),
    )


def _eight_bits(colours: np.ndarray, *, bits: int) -> np.ndarray:
    if colours.dtype == np.uint8:
        return colours
    return np.rint(colours * (255 / (2**bits - 1))).clip(0, 255).astype(np.uint8)
