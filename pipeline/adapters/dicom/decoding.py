"""Turn planned slices into the images of cases."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.dicom.arguments import ReadingArguments
from pipeline.adapters.dicom.opening import quiet
from pipeline.adapters.dicom.pixels import Plane, decoded_planes
from pipeline.adapters.dicom.planning import Planned
from pipeline.adapters.dicom.series import Slice
from pipeline.adapters.folder_cases import make_case, require_unchanged
from pipeline.adapters.refused import Refused
from pipeline.adapters.resizing import resize
from pipeline.adapters.spatial import in_equal_channels, resampled_volume, with_channels
from pipeline.adapters.windowing import as_type, chosen_window


@dataclass(frozen=True)
class Decoder:
    """Read planned cases; it goes to a worker process, so it holds nothing that is open.

    Attributes
    ----------
    arguments : ReadingArguments
        Window, type, spacing and limits.
    size : list of int
        Two axes (rows, columns) or three (right, anterior, superior).
    channels : int
        1 or 3.
    """

    arguments: ReadingArguments
    size: list[int]
    channels: int

    def __call__(self, work: tuple[Planned, dict[str, Path]]) -> list[Case | Quarantined]:
        """Return a plan's cases, given where its files are, or why there are none."""
        planned, paths = work
        try:
            with quiet():
                if planned.affine is not None:
                    return [self._volume(planned, planned.affine, paths)]
                return list(self._planes(planned, paths))
        except Refused as refused:
            return [Quarantined(planned.slices[0].facts.source, refused.reason, refused.advice)]

    def _planes(self, planned: Planned, paths: dict[str, Path]) -> Iterator[Case]:
        decoded = self._decoded(planned.slices, paths)
        for slice_, plane in zip(planned.slices, decoded, strict=True):
            image = with_channels(self._windowed(plane), self.channels)
            many = len(planned.slices) > 1
            yield make_case(
                f"{planned.name}-{slice_.frame + 1}" if many else planned.name,
                resize(image, tuple(self.size)),
                slice_.facts,
                planned.labelled,
                sha256=slice_.facts.sha256,
                spacing_mm=_plane_spacing(slice_, self.size),
            )

    def _windowed(self, plane: Plane) -> np.ndarray:
        if plane.is_colour:
            return as_type(plane.values, self.arguments.dtype)
        window = chosen_window(plane.values, self.arguments.window, plane.window)
        return window(plane.values, self.arguments.dtype, inverted=plane.inverted)

    def _volume(self, planned: Planned, affine: np.ndarray, paths: dict[str, Path]) -> Case:
        planes = list(self._decoded(planned.slices, paths))
        if any(plane.is_colour for plane in planes):
            advice = "read its slices one by one, with 'case: image' and an image size of two axes"
            raise Refused(reason="a volume in colour", advice=advice)
        middle = planes[len(planes) // 2]
        # (slice, row, column) as decoded; the affine takes (column, row, slice).
        values = np.stack([plane.values for plane in planes]).transpose(2, 1, 0)
        # A volume is hundreds of megabytes: no copy stays that is not needed any more.
        del planes
        window = chosen_window(values, self.arguments.window, middle.window)
        values = window(values, "float32", inverted=middle.inverted)
        resampled, spacing = resampled_volume(values, affine, self.size, self.arguments.spacing_mm)
        image = window.scaled(resampled, self.arguments.dtype)
        return make_case(
            planned.name,
            in_equal_channels(image, self.channels),
            planned.slices[0].facts,
            planned.labelled,
            sha256=_joint_sha256(planned.slices),
            spacing_mm=spacing,
        )

    def _decoded(self, slices: tuple[Slice, ...], paths: dict[str, Path]) -> Iterator[Plane]:
        for facts, members in groupby(slices, key=lambda each: each.facts):
            require_unchanged(paths[facts.source], facts)
            yield from decoded_planes(
                paths[facts.source],
                [each.frame for each in members],
                max_pixels=self.arguments.max_pixels,
                presented=self.arguments.window == "tag",
            )


def _plane_spacing(slice_: Slice, size: list[int]) -> tuple[float, ...] | None:
    facts = slice_.facts
    if not facts.pixel_spacing:
        return None
    row_mm, column_mm = facts.pixel_spacing
    return row_mm * facts.num_rows / size[0], column_mm * facts.num_columns / size[1]


def _joint_sha256(slices: tuple[Slice, ...]) -> str:
    files = dict.fromkeys(each.facts.sha256 for each in slices)
    if len(files) == 1:
        return files.popitem()[0]
    return hashlib.sha256("\n".join(files).encode()).hexdigest()
