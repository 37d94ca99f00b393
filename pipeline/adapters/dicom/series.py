"""Put the slices of a series in order along their normal, and place them in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.adapters.folder_index import FileFacts
from pipeline.adapters.refused import Refused

SAME_PLACE_MM = 1e-3
UNEVEN_SHARE = 0.25
_AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Slice:
    """One frame of one file, and where it lies along the normal (mm) if that is known."""

    facts: FileFacts
    frame: int
    place: float | None


def source_of(first: str, num_files: int) -> str:
    """Return how a case of several files is named where it is left out.

    >>> source_of("~5f3a", 1), source_of("~5f3a", 3)
    ('~5f3a', '~5f3a (and 2 more of its series)')
    """
    return first if num_files == 1 else f"{first} (and {num_files - 1} more of its series)"


def ordered_slices(files: list[FileFacts]) -> list[Slice]:
    """Return the slices of a series in order.

    The order is that of the positions projected on the slices' normal; where a header lacks
    positions, that of the instance numbers, then the frames.

    Raises `Refused` if the files give neither.
    """
    # One normal for all: two that differ by rounding would place slices apart far from the origin.
    normal = next((normal_of(facts) for facts in files if len(facts.orientation) == 6), None)
    slices = [slice_ for facts in files for slice_ in _slices_of(facts, normal)]
    if all(each.place is not None for each in slices):
        return sorted(slices, key=lambda each: each.place or 0.0)
    numbers = [each.facts.instance_number for each in slices]
    if len(files) > 1 and (None in numbers or len(set(numbers)) < len(files)):
        advice = "its headers need image positions, or instance numbers that differ"
        raise Refused(reason="slices without an order", advice=advice)
    return sorted(slices, key=lambda each: (each.facts.instance_number or 0, each.frame))


def normal_of(facts: FileFacts) -> np.ndarray:
    """Return the direction in which slices of a file's one orientation lie on each other."""
    row, column = np.reshape(facts.orientation, (2, 3))
    return np.cross(row, column)


def places_of(facts: FileFacts, normal: np.ndarray) -> np.ndarray | None:
    """Return where every frame of a file lies along a normal, in mm, None where it does not say."""
    if len(facts.positions) != 3 * facts.num_frames or len(facts.orientation) != 6:
        return None
    return np.reshape(facts.positions, (-1, 3)) @ normal


def _slices_of(facts: FileFacts, normal: np.ndarray | None) -> list[Slice]:
    places = None if normal is None else places_of(facts, normal)
    if places is None:
        return [Slice(facts, frame, None) for frame in range(facts.num_frames)]
    return [Slice(facts, frame, float(place)) for frame, place in enumerate(places)]


def require_stack(slices: list[Slice]) -> None:
    """Raise `Refused` unless the slices of a series, in order, lie on each other as one stack.

    Where none of them has a position nothing can be said against it.

    Raises `Refused` if frames differ in orientation or spacing, some slices alone have a position,
    two share a place, their distances differ by more than a quarter, or one is shifted by over a
    pixel.
    """
    for facts in {id(each.facts): each.facts for each in slices}.values():
        if len(facts.orientation) > 6 or len(facts.pixel_spacing) > 2:
            what = "orientation" if len(facts.orientation) > 6 else "pixel spacing"
            advice = f"split it into a series for each {what}, or read it with 'case: image'"
            raise Refused(reason=f"{what} differs between frames", advice=advice)
        if facts.positions and not facts.orientation:
            advice = "expected both or neither in its header: export the file again"
            raise Refused(reason="positions without an orientation", advice=advice)
    is_placed = [each.place is not None for each in slices]
    if any(is_placed) and not all(is_placed):
        advice = "expected one of every slice or of none: export the whole series again"
        raise Refused(reason="positions of some slices only", advice=advice)
    if all(is_placed):
        _require_even([each.place or 0.0 for each in slices])
        _require_straight(slices)


def knows_spacing(slices: list[Slice]) -> bool:
    """Return whether a stack's headers say how far apart its voxels are along every axis."""
    first = slices[0]
    return len(slices) > 1 and first.place is not None and len(first.facts.pixel_spacing) == 2


def affine_of(slices: list[Slice]) -> np.ndarray:
    """Return the (4, 4) matrix from (column, row, slice) to RAS+ coordinates of a stack.

    In mm where `knows_spacing` says so; DICOM PS3.3 C.7.6.2.1.1 gives the mapping. Else the matrix
    tells where the axes point, at a spacing of one where none is known. Slices without a position
    lie on each other from their first to their last; without an orientation they are taken as
    axial.
    """
    first, last = slices[0], slices[-1]
    row_mm, column_mm = first.facts.pixel_spacing or (1.0, 1.0)
    along_row, along_column = np.reshape(first.facts.orientation or _AXIAL, (2, 3))
    origin, step = np.zeros(3), np.cross(along_row, along_column) * row_mm
    if first.place is not None:
        origin = _position(first)
        if len(slices) > 1:
            step = (_position(last) - origin) / (len(slices) - 1)
    affine = np.eye(4)
    affine[:3] = np.column_stack([along_row * column_mm, along_column * row_mm, step, origin])
    return _LPS_TO_RAS @ affine


def _position(slice_: Slice) -> np.ndarray:
    return np.reshape(slice_.facts.positions, (-1, 3))[slice_.frame]


def _require_even(places: list[float]) -> None:
    steps = np.diff(places)
    if len(steps) == 0:
        return
    if steps.min() < SAME_PLACE_MM:
        advice = "split the series by phase, echo or time into one series each"
        raise Refused(reason="several slices at one place", advice=advice)
    if np.abs(steps - np.median(steps)).max() > UNEVEN_SHARE * np.median(steps):
        advice = "export the whole series again"
        raise Refused(reason="slices missing or unevenly spaced", advice=advice)


def _require_straight(slices: list[Slice]) -> None:
    """Raise `Refused` if a slice lies over a pixel beside the line from the first to the last."""
    positions = np.array([_position(each) for each in slices])
    places = np.array([each.place for each in slices])
    shares = (places - places[0]) / max(places[-1] - places[0], SAME_PLACE_MM)
    beside = positions - positions[0] - shares[:, None] * (positions[-1] - positions[0])
    if np.linalg.norm(beside, axis=1).max() > max(slices[0].facts.pixel_spacing or (1.0,)):
        advice = "split the series where its slices jump, or export the whole series again"
        raise Refused(reason="slices shifted against each other", advice=advice)
