"""Decode the frames of one DICOM file into physical values or colours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.adapters.dicom.codestreams import require_sound_claims
from pipeline.adapters.dicom.decoders import decoded_arrays, require_decoder
from pipeline.adapters.dicom.elements import element, macro, number, numbers, text, whole
from pipeline.adapters.dicom.opening import DAMAGE, parse
from pipeline.adapters.refused import Refused, too_large
from pipeline.adapters.windowing import Window, centred_window

_NARROWEST = 1e-3
_PIXEL_ELEMENTS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True)
class Plane:
    """One decoded frame.

    Attributes
    ----------
    values : array
        Grey: float32 (rows, columns), rescaled (hounsfield for CT). Colour: uint8
        (rows, columns, 3), RGB.
    window : Window, optional
        What the header says is to be seen; none for colour.
    inverted : bool
        Whether low values are bright (MONOCHROME1).
    """

    values: np.ndarray
    window: Window | None = None
    inverted: bool = False

    @property
    def is_colour(self) -> bool:
        """Whether the values are colours."""
        return self.values.ndim == 3


def decoded_planes(
    path: Path, frames: Sequence[int], *, max_pixels: int, presented: bool
) -> Iterator[Plane]:
    """Yield some frames of a file, in the order asked for.

    Parameters
    ----------
    path : Path
        The file.
    frames : sequence of int
        Frame numbers, from 0.
    max_pixels : int
        Refuse a file that claims more values, before memory is set aside for them.
    presented : bool
        Whether a look-up table or sigmoid for display (VOI LUT) is applied; a plain window never
        is, since it is applied once the whole case is there.

    Raises
    ------
    Refused
        If the file is damaged, too large, holds no pixels, or there is no decoder for it.
    """
    with path.open("rb") as file:
        dataset = parse(file, max_pixels=max_pixels)
    _require_decodable(dataset, max_pixels)
    decoded = decoded_arrays(dataset, frames)
    for frame in frames:
        try:
            if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
                require_sound_claims(dataset, frame)
            yield _plane(next(decoded), dataset, frame, presented=presented)
        except (*DAMAGE, StopIteration) as error:
            advice = "it is truncated or damaged: export it again"
            raise Refused(reason="pixel data cannot be decoded", advice=advice) from error


def _require_decodable(dataset: Dataset, max_pixels: int) -> None:
    if not any(name in dataset for name in _PIXEL_ELEMENTS):
        raise Refused(reason="no pixel data", advice="it is truncated or was sent without")
    names = ("Rows", "Columns", "SamplesPerPixel", "NumberOfFrames")
    claimed = math.prod(max(whole(dataset, name) or 1, 1) for name in names)
    if claimed > max_pixels:
        raise too_large(claimed, "values")
    require_decoder(_transfer_syntax(dataset))


def _transfer_syntax(dataset: Dataset) -> UID:
    """Return the transfer syntax, completing a header that lacks it by how it was parsed."""
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
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
    values, window = _shown(_rescaled(stored, dataset, frame), dataset, frame, presented=presented)
    return Plane(values, window, inverted=photometric == "MONOCHROME1")


def _eight_bits(colours: np.ndarray, *, bits: int) -> np.ndarray:
    if colours.dtype == np.uint8:
        return colours
    return np.rint(colours * (255 / (2**bits - 1))).clip(0, 255).astype(np.uint8)


def _rescaled(stored: np.ndarray, dataset: Dataset, frame: int) -> np.ndarray:
    if "ModalityLUTSequence" in dataset:
        return apply_modality_lut(stored, dataset).astype(np.float32)
    mapping = macro(dataset, frame, "PixelValueTransformationSequence")
    slope, intercept = number(mapping, "RescaleSlope"), number(mapping, "RescaleIntercept")
    values = stored.astype(np.float32)
    if slope is not None and slope != 1:
        values *= np.float32(slope)
    if intercept is not None:
        values += np.float32(intercept)
    return values


def _shown(
    values: np.ndarray, dataset: Dataset, frame: int, *, presented: bool
) -> tuple[np.ndarray, Window | None]:
    """Return the values and the window to see them in (DICOM PS3.3 C.11.2)."""
    display = macro(dataset, frame, "FrameVOILUTSequence")
    if presented and (tables := element(display, "VOILUTSequence")):
        shown = apply_voi(np.rint(values).astype(np.int32), display).astype(np.float32)
        return shown, Window(0, 2 ** int(tables[0].LUTDescriptor[2]) - 1)
    centre, width = number(display, "WindowCenter"), number(display, "WindowWidth")
    if centre is None or width is None or width <= 0:
        return values, None
    function = text(display, "VOILUTFunction")
    if presented and function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - np.float32(centre)) / np.float32(width))), Window(
            0, 1
        )
    if function == "LINEAR_EXACT":
        return values, centred_window(centre, width)
    return values, centred_window(centre - 0.5, max(width - 1, _NARROWEST))
