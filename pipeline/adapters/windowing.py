"""Map physical values to what a reader sees: a window of interest, from black to white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from pipeline.adapters.refused import Refused
from pipeline.config.reading import Strict

PixelType = Literal["uint8", "int16", "float32"]


_LARGEST, _NARROWEST = 1e30, 1e-30
"""Beyond the one its ends, and below the other its slope, are no numbers in float32."""


class CentreWindow(Strict):
    """A window stated in the units of the rescaled values (hounsfield for CT)."""

    centre: float = Field(ge=-_LARGEST, le=_LARGEST)
    width: float = Field(gt=0, le=_LARGEST)


class PercentileWindow(Strict):
    """A window from one percentile of a case's own values to another."""

    percentile: tuple[float, float] = (1.0, 99.0)

    @model_validator(mode="after")
    def _rises_within_its_range(self) -> Self:
        lowest, highest = self.percentile
        if not 0 <= lowest < highest <= 100:
            message = f"percentile must rise from 0 to 100, got [{lowest:g}, {highest:g}]"
            raise ValueError(message)
        return self


def _of_one_form(stated: Any) -> Any:
    """Return a window of the one form that is meant, so that a fault is told of that form alone."""
    if isinstance(stated, CentreWindow | PercentileWindow) or stated in ("tag", "none"):
        return stated
    if isinstance(stated, dict) and "percentile" in stated:
        return PercentileWindow.model_validate(stated)
    if isinstance(stated, dict) and {"centre", "width"} & stated.keys():
        return CentreWindow.model_validate(stated)
    message = "expected tag, none, {centre, width} or {percentile}"
    raise ValueError(message)


WindowChoice = Annotated[
    Literal["tag", "none"] | CentreWindow | PercentileWindow, BeforeValidator(_of_one_form)
]


def require_window_for(dtype: PixelType, window: WindowChoice) -> None:
    """Raise `ValueError` for a window that a pixel type cannot hold."""
    if dtype == "uint8" and window == "none":
        message = "uint8 images need a window: tag, {centre, width} or {percentile}"
        raise ValueError(message)
    if dtype != "uint8" and window == "tag":
        message = f"{dtype} images keep physical values: window must be 'none' or {{centre, width}}"
        raise ValueError(message)


@dataclass(frozen=True)
class Window:
    """The values shown as black and as white; what lies outside is clipped."""

    lowest: float
    highest: float

    def __call__(
        self, values: np.ndarray, dtype: PixelType, *, inverted: bool = False
    ) -> np.ndarray:
        """Return the values in a window, of the same shape.

        Parameters
        ----------
        values : float array, any shape
            Rescaled values.
        dtype : {"uint8", "int16", "float32"}
            uint8 runs from 0 (black) to 255 (white); the others keep the values' units.
        inverted : bool
            Whether low values are bright (MONOCHROME1): the values are mirrored within the window.
        """
        clipped = np.clip(values, np.float32(self.lowest), np.float32(self.highest))
        if inverted:
            np.subtract(np.float32(self.lowest + self.highest), clipped, out=clipped)
        return self.scaled(clipped, dtype, scratch=clipped)

    def scaled(
        self, clipped: np.ndarray, dtype: PixelType, *, scratch: np.ndarray | None = None
    ) -> np.ndarray:
        """Return values that lie within the window as a pixel type.

        `scratch`, if given, is float32 of the same shape and may be overwritten.
        """
        if dtype == "uint8":
            width = self.highest - self.lowest
            scratch = np.subtract(clipped, np.float32(self.lowest), out=scratch)
            scratch *= np.float32(255 / width if width else 0)
            clipped = scratch
        return as_type(clipped, dtype, scratch=scratch)


def as_type(
    values: np.ndarray, dtype: PixelType, *, scratch: np.ndarray | None = None
) -> np.ndarray:
    """Return values as a pixel type, rounded to the nearest.

    Raises `Refused` if a value is beyond int16, which keeps the values' units; uint8 is clipped to
    its range.
    """
    if dtype == "float32":
        return values.astype(np.float32, copy=False)
    limits = np.iinfo(dtype)
    rounded = np.rint(values, out=scratch)
    if dtype == "int16" and not limits.min <= rounded.min() <= rounded.max() <= limits.max:
        advice = f"expected {limits.min} to {limits.max}: narrow the window, or set dtype: float32"
        raise Refused(reason="values beyond int16", advice=advice)
    return np.clip(rounded, limits.min, limits.max, out=rounded).astype(dtype)


def centred_window(centre: float, width: float) -> Window:
    """Return the window of a centre and width, ends included (DICOM's LINEAR_EXACT).

    >>> centred_window(40, 400)
    Window(lowest=-160.0, highest=240.0)
    """
    return Window(centre - width / 2, centre + width / 2)


def chosen_window(
    values: np.ndarray,
    choice: WindowChoice,
    tagged: Window | None,
    padding: np.ndarray | None = None,
) -> Window:
    """Return the window that a config chooses for a case's values.

    A case without a window of its own, where the tag is asked for, shows all its values.

    Raises `Refused` if nothing but fill is left to choose by, percentiles that differ lie at one
    value, or the window is so large or so narrow that scaling by it would overflow, unseen in
    uint8.

    Parameters
    ----------
    values : float array, any shape
        Rescaled values.
    choice : WindowChoice
        The config's.
    tagged : Window, optional
        The header's.
    padding : bool array of the same shape, optional
        Where the values are fill: they count for no percentile and no end.
    """
    if isinstance(choice, CentreWindow):
        window = centred_window(choice.centre, choice.width)
    elif choice == "tag" and tagged is not None:
        window = tagged
    else:
        window = _window_of(values, choice, padding)
    width = window.highest - window.lowest
    if max(-window.lowest, window.highest) > _LARGEST or 0 < width < _NARROWEST:
        advice = f"expected values within {_LARGEST:g}, {_NARROWEST:g} apart or more: rescale them"
        raise Refused(reason="window out of range", advice=advice)
    return window


def _window_of(values: np.ndarray, choice: WindowChoice, padding: np.ndarray | None) -> Window:
    """Return the window that a case's own values give."""
    seen = values if padding is None else values[~padding]
    if seen.size == 0:
        raise Refused(reason="nothing but padding", advice="export it again, or take it out")
    if not isinstance(choice, PercentileWindow):
        return Window(float(seen.min()), float(seen.max()))
    lowest, highest = (float(end) for end in np.percentile(seen, choice.percentile))
    if lowest == highest and seen.min() < seen.max():
        advice = "its percentiles are one value: state {centre, width}, or percentiles further out"
        raise Refused(reason="window without width", advice=advice)
    return Window(lowest, highest)
