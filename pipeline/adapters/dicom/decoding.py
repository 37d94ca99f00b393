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
from pipeline.adapters.dicom.series import Slice, source_of
from pipeline.adapters.folder_cases import make_case, require_unchanged
from pipeline.adapters.refused import UNREADABLE, Refused
from pipeline.adapters.resizing import resize
from pipeline.adapters.spatial import in_equal_channels, resampled_volume, with_channels
from pipeline.adapters.windowing import as_type, chosen_window


@dataclass(frozen=True)
class SeriesDecoder:
    """Read planned cases; it goes to a worker process, so it holds nothing that is open."""

    arguments: ReadingArguments
    """Window, type, spacing and limits."""
    size: list[int]
    """Two axes (rows, columns) or three (right, anterior, superior)."""
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
            source = source_of(planned.slices[0].facts.source, planned.num_files)
            return [Quarantined(source, refused.reason, refused.advice, planned.num_files)]

    def _planes(self, planned: Planned, paths: dict[str, Path]) -> Iterator[Case]:
        decoded = self._decoded(planned.slices, paths)
        for number, (slice_, plane) in enumerate(zip(planned.slices, decoded, strict=True)):
            many = len(planned.slices) > 1
            yield make_case(
                f"{planned.name}-{slice_.frame + 1}" if many else planned.name,
                resize(self._windowed(plane), tuple(self.size)),
                slice_.facts,
                planned.labelled,
                sha256=slice_.facts.sha256,
                spacing_mm=_plane_spacing(slice_, self.size),
                num_files=planned.num_files if number == 0 else 0,
            )

    def _windowed(self, plane: Plane) -> np.ndarray:
        if plane.is_colour:
            return as_type(with_channels(plane.values, self.channels), self.arguments.dtype)
        window = chosen_window(plane.values, self.arguments.window, plane.window, plane.padding)
        shown = window(plane.values, self.arguments.dtype, inverted=plane.inverted)
        return with_channels(shown, self.channels)

    def _volume(self, planned: Planned, affine: np.ndarray, paths: dict[str, Path]) -> Case:
        planes = list(self._decoded(planned.slices, paths))
        _require_one_scale(planes)
        middle = planes[len(planes) // 2]
        # (slice, row, column) as decoded; the affine takes (column, row, slice).
        values = np.stack([plane.values for plane in planes]).transpose(2, 1, 0)
        padding = _joint_padding(planes)
        # A volume is hundreds of megabytes: no copy stays that is not needed any more.
        del planes
        window = chosen_window(values, self.arguments.window, middle.window, padding)
        values = window(values, "float32", inverted=middle.inverted)
        resampled, spacing = resampled_volume(
            values,
            affine,
            self.size,
            self.arguments.spacing_mm,
            max_voxels=self.arguments.max_pixels,
        )
        image = window.scaled(resampled, self.arguments.dtype)
        return make_case(
            planned.name,
            in_equal_channels(image, self.channels),
            planned.slices[0].facts,
            planned.labelled,
            sha256=_joint_sha256(planned.slices),
            spacing_mm=spacing if planned.knows_spacing else None,
            num_files=planned.num_files,
        )

    def _decoded(self, slices: tuple[Slice, ...], paths: dict[str, Path]) -> Iterator[Plane]:
        are_rescaled: set[bool] = set()
        for facts, members in groupby(slices, key=lambda each: each.facts):
            try:
                require_unchanged(paths[facts.source], facts)
                for plane in decoded_planes(
                    paths[facts.source],
                    [each.frame for each in members],
                    max_pixels=self.arguments.max_pixels,
                    presented=self.arguments.window == "tag",
                ):
                    are_rescaled.add(plane.is_rescaled)
                    _require_one_unit(are_rescaled)
                    yield plane
            except (Refused, OSError) as error:
                is_one = slices[0].facts is slices[-1].facts
                raise _of_its_file(error, None if is_one else facts.source) from error


def _of_its_file(error: Refused | OSError, source: str | None) -> Refused:
    """Return a refusal that names the one file of several that it is of."""
    reason, advice = (error.reason, error.advice) if isinstance(error, Refused) else UNREADABLE
    return Refused(reason=reason, advice=advice if source is None else f"{source}: {advice}")


def _require_one_unit(are_rescaled: set[bool]) -> None:
    """Raise `Refused` if some slices are in the header's unit and others as they are stored."""
    if len(are_rescaled) > 1:
        advice = "expected RescaleSlope and RescaleIntercept of every slice or of none"
        raise Refused(reason="rescale of some slices only", advice=advice)


def _require_one_scale(planes: list[Plane]) -> None:
    """Raise `Refused` unless the slices' values are of one kind, as one window takes them to be."""
    if any(plane.is_colour for plane in planes):
        advice = "read its slices one by one, with 'case: image' and an image size of two axes"
        raise Refused(reason="a volume in colour", advice=advice)
    if len({(plane.inverted, plane.translated) for plane in planes}) > 1:
        advice = "expected one photometric interpretation and way of display: export it again"
        raise Refused(reason="slices of several grey scales", advice=advice)


def _joint_padding(planes: list[Plane]) -> np.ndarray | None:
    """Return where a volume of planes, (column, row, slice), shows no patient."""
    if all(plane.padding is None for plane in planes):
        return None
    nowhere = np.zeros(planes[0].values.shape, bool)
    masks = [nowhere if plane.padding is None else plane.padding for plane in planes]
    return np.stack(masks).transpose(2, 1, 0)


def _plane_spacing(slice_: Slice, size: list[int]) -> tuple[float, ...] | None:
    facts = slice_.facts
    if not facts.pixel_spacing:
        return None
    each = np.reshape(facts.pixel_spacing, (-1, 2))
    row_mm, column_mm = each[slice_.frame if len(each) > 1 else 0].tolist()
    return row_mm * facts.num_rows / size[0], column_mm * facts.num_columns / size[1]


def _joint_sha256(slices: tuple[Slice, ...]) -> str:
    files = dict.fromkeys(each.facts.sha256 for each in slices)
    if len(files) == 1:
        return files.popitem()[0]
    return hashlib.sha256("\n".join(files).encode()).hexdigest()
