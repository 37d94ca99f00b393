"""From stored values to physical ones, and to those that a header wants displayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi

from pipeline.adapters.dicom.elements import items, macro, number, numbers, text, unusable, whole
from pipeline.adapters.refused import Refused
from pipeline.adapters.windowing import Window, centred_window

_NARROWEST = 1e-3
_LARGEST = 1e30
"""Beyond it a window's ends are no numbers in float32."""
_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_PADDING = {
    "PixelData": ("PixelPaddingValue", "PixelPaddingRangeLimit"),
    "FloatPixelData": ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    "DoubleFloatPixelData": ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
}
"""The element that holds the pixels, and those that say which of its values are none."""


@dataclass(frozen=True)
class Displayed:
    """Values and the window to see them in; `translated` if they passed a table or a sigmoid."""

    values: np.ndarray
    window: Window | None
    translated: bool = False


def rescaled(stored: np.ndarray, dataset: Dataset, frame: int) -> np.ndarray:
    """Return stored values in the header's unit, float32 (hounsfield for CT).

    Raises `Refused` if the slope is zero, also in float32, or a value is not finite.
    """
    if items(dataset, "ModalityLUTSequence"):
        values = apply_modality_lut(stored, dataset).astype(np.float32)
    else:
        slope, intercept = _rescale(dataset, frame)
        if slope is not None and np.float32(slope) == 0:
            raise unusable(keyword="RescaleSlope", expected="a number other than zero")
        values = stored.astype(np.float32)
        if slope is not None and slope != 1:
            values *= np.float32(slope)
        if intercept is not None:
            values += np.float32(intercept)
    if not np.isfinite(values).all():
        advice = "replace NaN and infinity, then export it again"
        raise Refused(reason="pixels are not finite", advice=advice)
    return values


def states_rescale(dataset: Dataset, frame: int) -> bool:
    """Return whether a header says how a frame's stored values become physical ones."""
    stated = _rescale(dataset, frame)
    return bool(items(dataset, "ModalityLUTSequence")) or any(each is not None for each in stated)


def _rescale(dataset: Dataset, frame: int) -> tuple[float | None, float | None]:
    mapping = macro(dataset, frame, "PixelValueTransformationSequence")
    return number(mapping, "RescaleSlope"), number(mapping, "RescaleIntercept")


def displayed(values: np.ndarray, dataset: Dataset, frame: int) -> Displayed:
    """Return what a header wants to be seen of its values (DICOM PS3.3 C.11.2).

    A look-up table or a sigmoid is applied; a plain window is not, since a whole case has one.

    Raises `Refused` if the header states a window that cannot be used.
    """
    display = macro(dataset, frame, "FrameVOILUTSequence")
    if tables := items(display, "VOILUTSequence"):
        shown = apply_voi(np.rint(values).astype(np.int32), display).astype(np.float32)
        highest = 2 ** int(tables[0].LUTDescriptor[2]) - 1
        return Displayed(shown, Window(0, highest), translated=True)
    stated = _stated_window(display)
    if stated is None:
        return Displayed(values, None)
    centre, width, function = stated
    if function == "SIGMOID":
        shown = 1 / (1 + np.exp(-4 * (values - np.float32(centre)) / np.float32(width)))
        return Displayed(shown, Window(0, 1), translated=True)
    if function == "LINEAR_EXACT":
        return Displayed(values, centred_window(centre, width))
    return Displayed(values, centred_window(centre - 0.5, max(width - 1, _NARROWEST)))


def _stated_window(display: Dataset) -> tuple[float, float, str] | None:
    """Return the first of a header's windows and its function, None where it states none."""
    centres, widths = numbers(display, "WindowCenter"), numbers(display, "WindowWidth")
    if not centres and not widths:
        return None
    if len(centres) != len(widths):
        raise unusable(keyword="WindowWidth", expected="as many widths as centres")
    function = text(display, "VOILUTFunction") or "LINEAR"
    if function not in _FUNCTIONS:
        raise unusable(keyword="VOILUTFunction", expected=f"one of {', '.join(_FUNCTIONS)}")
    # A linear window of width w is w - 1 wide between black and white (DICOM PS3.3 C.11.2.1.2.1).
    if widths[0] <= 0 or (function == "LINEAR" and widths[0] < 1):
        raise unusable(
            keyword="WindowWidth",
            expected="1 or more" if function == "LINEAR" else "a width above 0",
        )
    if max(abs(centres[0]), widths[0]) > _LARGEST:
        raise unusable(keyword="WindowCenter", expected=f"a window within {_LARGEST:g}")
    return centres[0], widths[0], function


def padding(stored: np.ndarray, dataset: Dataset) -> np.ndarray | None:
    """Return where a frame was filled up and shows no patient, None where it does everywhere.

    The fill is one value, or all from one to another (DICOM PS3.3 C.7.5.1.1.2).
    """
    elements = next(names for pixels, names in _PADDING.items() if pixels in dataset)
    value, limit = (number(dataset, name) for name in elements)
    if value is None:
        return None
    ends = [_as_stored(each, dataset) for each in (value, value if limit is None else limit)]
    filled = (stored >= min(ends)) & (stored <= max(ends))
    return filled if filled.any() else None


def _as_stored(value: float, dataset: Dataset) -> float:
    """Return a padding value with the sign of the pixels: many write -2000 as 63536."""
    bits = whole(dataset, "BitsAllocated") or 0
    signed = whole(dataset, "PixelRepresentation") == 1
    if "PixelData" not in dataset:
        return value
    if signed and value >= 2 ** (bits - 1):
        return value - 2**bits
    return value + 2**bits if value < 0 and not signed else value
