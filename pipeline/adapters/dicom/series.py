"""Put the slices of a series in order along their normal, and place them in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.adapters.file_facts import FileFacts
from pipeline.adapters.refused import Refused

_SAME_PLACE_MM = 1e-3
_UNEVEN_SHARE = 0.25
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Slice:
    """One frame of one file, and where it lies along the normal (mm) if that is known."""

    facts: FileFacts
    frame: int
    place: float | None


def ordered_slices(files: list[FileFacts]) -> list[Slice]:
    """Return the slices of a series in order.

    The order is that of the positions projected on the slices' normal; where a header lacks
    positions, that of the instance numbers, then the frames.

    Raises
    ------
    Refused
        If the files give neither.
    """
    slices = [slice_ for facts in files for slice_ in _slices_of(facts)]
    if all(each.place is not None for each in slices):
        return sorted(slices, key=lambda each: each.place or 0.0)
    numbers = [each.facts.instance_number for each in slices]
    if len(files) > 1 and (None in numbers or len(set(numbers)) < len(files)):
        advice = "its headers need image positions, or instance numbers that differ"
        raise Refused(reason="slices without an order", advice=advice)
    return sorted(slices, key=lambda each: (each.facts.instance_number or 0, each.frame))


def _slices_of(facts: FileFacts) -> list[Slice]:
    if len(facts.positions) != 3 * facts.num_frames or not facts.orientation:
        return [Slice(facts, frame, None) for frame in range(facts.num_frames)]
    row, column = np.reshape(facts.orientation, (2, 3))
    places = np.reshape(facts.positions, (-1, 3)) @ np.cross(row, column)
    return [Slice(facts, frame, float(place)) for frame, place in enumerate(places)]


def affine_of(slices: list[Slice]) -> np.ndarray:
    """Return the (4, 4) matrix from (column, row, slice) to RAS+ coordinates in mm.

    Slices without positions are taken as axial, feet to head, at the spacing of their pixels
    (DICOM PS3.3 C.7.6.2.1.1 gives the mapping where they have them).

    Raises
    ------
    Refused
        If two slices share a place, or their distances differ by more than a quarter.
    """
    first, last = slices[0], slices[-1]
    row_mm, column_mm = first.facts.pixel_spacing or (1.0, 1.0)
    if first.place is None:
        return _LPS_TO_RAS @ np.diag([column_mm, row_mm, row_mm, 1.0])
    along_row, along_column = np.reshape(first.facts.orientation, (2, 3))
    origin, end = _position(first), _position(last)
    _require_even([each.place or 0.0 for each in slices])
    normal = np.cross(along_row, along_column)
    step = (end - origin) / (len(slices) - 1) if len(slices) > 1 else normal * row_mm
    affine = np.eye(4)
    affine[:3] = np.column_stack([along_row * column_mm, along_column * row_mm, step, origin])
    return _LPS_TO_RAS @ affine


def _position(slice_: Slice) -> np.ndarray:
    return np.reshape(slice_.facts.positions, (-1, 3))[slice_.frame]


def _require_even(places: list[float]) -> None:
    steps = np.diff(places)
    if len(steps) == 0:
        return
    if steps.min() < _SAME_PLACE_MM:
        advice = "split the series by phase, echo or time into one series each"
        raise Refused(reason="several slices at one place", advice=advice)
    if np.abs(steps - np.median(steps)).max() > _UNEVEN_SHARE * np.median(steps):
        advice = "export the whole series again"
        raise Refused(reason="slices missing or unevenly spaced", advice=advice)
