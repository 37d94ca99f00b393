"""Where a file's frames lie, and how far apart their pixels are, as far as its header says.

Frames agree where they differ by no more than rounding in a header does. Those that do not are
told one by one, so that whoever needs one stack can refuse them and others can read each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from pipeline.adapters.dicom.elements import items, macro, numbers, unusable
from pipeline.adapters.refused import Refused
from pipeline.adapters.spatial import COARSEST_MM, FINEST_MM

SAME_DIRECTION = 2e-3
"""How far two unit vectors may lie apart (0.1 degrees): a third decimal rounded either way."""
SAME_SPACING = 1e-3
"""How far two spacings may differ, as a share: half a pixel over 512."""
_PER_FRAME = "PerFrameFunctionalGroupsSequence"
_FARTHEST_MM = 1e6
_UNIT = 2e-2
"""How far stated directions may be from unit length and a right angle: two decimals of rounding."""


@dataclass(frozen=True)
class Geometry:
    """What the index keeps of a file, in mm; empty where the header says nothing.

    `positions` holds three numbers a frame; `orientation` six and `pixel_spacing` two (rows, then
    columns), or so many for each frame where its frames disagree.
    """

    positions: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    pixel_spacing: tuple[float, ...] = ()


def stated_geometry(header: Dataset, num_frames: int) -> Geometry:
    """Return the geometry of a file.

    Raises `Refused` if an element of it is present but unusable, or is stated of some frames only.
    """
    num_groups = len(items(header, _PER_FRAME))
    if num_groups not in (0, num_frames):
        raise unusable(keyword=_PER_FRAME, expected=f"{num_frames} items, one for each frame,")
    frames = range(num_frames if num_groups else 1)
    # What all frames of an older object share is one position, and so none of its own for each.
    places = frames if num_groups or num_frames == 1 else range(0)
    return Geometry(
        positions=_flat(_of_all([_position(header, frame) for frame in places], "position")),
        orientation=_agreed(
            [_orientation(header, frame) for frame in frames], "orientation", same_orientation
        ),
        pixel_spacing=_agreed(
            [_spacing(header, frame) for frame in frames], "pixel spacing", same_spacing
        ),
    )


def same_orientation(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether two orientations, six cosines each, differ by rounding at most."""
    if one == other:
        return True
    if len(one) != 6 or len(other) != 6:
        return False
    apart = np.linalg.norm(np.reshape(one, (2, 3)) - np.reshape(other, (2, 3)), axis=1)
    return bool(apart.max() <= SAME_DIRECTION)


def same_spacing(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether two spacings differ by rounding at most."""
    return one == other or (
        len(one) == len(other)
        and all(abs(a - b) <= SAME_SPACING * min(a, b) for a, b in zip(one, other, strict=True))
    )


def _position(header: Dataset, frame: int) -> tuple[float, ...]:
    keyword = "ImagePositionPatient"
    stated = numbers(macro(header, frame, "PlanePositionSequence"), keyword, 3)
    if max(map(abs, stated), default=0) > _FARTHEST_MM:
        raise unusable(keyword=keyword, expected="three places within a kilometre")
    return stated


def _orientation(header: Dataset, frame: int) -> tuple[float, ...]:
    keyword = "ImageOrientationPatient"
    stated = numbers(macro(header, frame, "PlaneOrientationSequence"), keyword, 6)
    if stated:
        axes = np.reshape(stated, (2, 3))
        if np.abs(axes @ axes.T - np.eye(2)).max() > _UNIT:
            raise unusable(
                keyword=keyword, expected="two directions of length one at a right angle"
            )
    return stated


def _spacing(header: Dataset, frame: int) -> tuple[float, ...]:
    measures = macro(header, frame, "PixelMeasuresSequence")
    for source, keyword in ((measures, "PixelSpacing"), (header, "ImagerPixelSpacing")):
        if stated := numbers(source, keyword, 2):
            if not FINEST_MM <= min(stated) <= max(stated) <= COARSEST_MM:
                lengths = f"two lengths from {FINEST_MM:g} to {COARSEST_MM:g} mm"
                raise unusable(keyword=keyword, expected=lengths)
            return stated
    return ()


def _agreed(
    stated: list[tuple[float, ...]],
    what: str,
    same: Callable[[Sequence[float], Sequence[float]], bool],
) -> tuple[float, ...]:
    """Return the first frame's value where all agree with it, else every frame's."""
    first = stated[0]
    of_all = _of_all(stated, what)
    return first if all(same(first, each) for each in stated) else _flat(of_all)


def _of_all(stated: list[tuple[float, ...]], what: str) -> list[tuple[float, ...]]:
    if any(stated) and not all(stated):
        advice = "expected it of every frame or of none: export the file again"
        raise Refused(reason=f"{what} of some frames only", advice=advice)
    return stated


def _flat(stated: list[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(number for each in stated for number in each)
