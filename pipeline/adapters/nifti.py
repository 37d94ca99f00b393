"""A team's own folder of NIfTI volumes (.nii, .nii.gz), of any nesting, with its table of labels.

The files stay where they are, as for DICOM. NIfTI does not say whose image it is, so the table has
to: without a patient column nothing would keep a patient's volumes in one split.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
from nibabel.orientations import apply_orientation, io_orientation
from pydantic import Field, model_validator

from pipeline.acquiring import file_digest
from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.file_facts import FileFacts
from pipeline.adapters.folder_cases import (
    label_of,
    make_case,
    require_unchanged,
    rows_without_files,
    separated,
)
from pipeline.adapters.folder_index import read_index, write_index
from pipeline.adapters.folder_screening import screened
from pipeline.adapters.identity import Pseudonyms, find_sources, load_pseudonyms
from pipeline.adapters.label_table import Labelled, LabelTableArguments
from pipeline.adapters.nifti_header import DAMAGE, open_nifti, require_bytes_for_claims
from pipeline.adapters.parallel import ordered_map, workers_for
from pipeline.adapters.refused import UNREADABLE, Refused
from pipeline.adapters.resizing import resize
from pipeline.adapters.spatial import (
    SpacingMm,
    in_equal_channels,
    require_axes_for,
    resampled_volume,
)
from pipeline.adapters.windowing import (
    PercentileWindow,
    PixelType,
    WindowChoice,
    chosen_window,
    require_window_for,
)
from pipeline.config import Dataset
from pipeline.config.reading import Strict, check_config

_SUFFIXES = (".nii", ".nii.gz")


class NiftiReadingArguments(Strict):
    """How volumes become images.

    A file that holds several volumes (of time, say) needs `volume`, counted from 0. With an image
    size of two axes a case is the axial slice that `slice` names, counted from the feet.
    """

    volume: int | None = Field(default=None, ge=0)
    slice: Literal["middle"] | int = "middle"
    window: WindowChoice = PercentileWindow()
    spacing_mm: SpacingMm | None = None
    dtype: PixelType = "uint8"
    max_pixels: int = Field(default=2**28, ge=1)
    workers: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _window_suits_the_type(self) -> Self:
        require_window_for(self.dtype, self.window)
        if self.window == "tag":
            message = "a NIfTI file states no window: {centre, width}, {percentile} or 'none'"
            raise ValueError(message)
        return self


class NiftiArguments(NiftiReadingArguments):
    """Where a team's own folder and its table of labels are; neither is copied.

    The table is keyed by file, and names each file's patient.
    """

    folder: str
    labels: LabelTableArguments

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        if self.labels.key != "file" or self.labels.patient_column is None:
            message = "'labels' needs 'key: file' and a 'patient_column': NIfTI names no patient"
            raise ValueError(message)
        return self


def acquire(raw: Path, dataset: Dataset) -> None:
    """Index the folder that the config names, and its table of labels, into `raw`."""
    arguments = _arguments(dataset)
    scanner = NiftiScanner(Path(arguments.folder), load_pseudonyms(), arguments.max_pixels)
    write_index(raw, scanner, arguments.labels, dataset.classes)


def read(raw: Path, dataset: Dataset) -> Iterator[Case | Quarantined]:
    """Yield first what is left out unread, then the cases, in the order of the files' names."""
    arguments = _arguments(dataset)
    index = read_index(raw)
    sound, faulty = separated(screened(index.files, max_pixels=arguments.max_pixels))
    labelled, unlabelled = separated(_labelled(sound, index.labels))
    yield from (*faulty, *unlabelled)
    if not arguments.labels.allow_rows_without_files:
        present = {each.file for each in index.files}
        yield from rows_without_files(index.labels.values(), present, "file")
    sources = [facts.source for facts, _ in labelled]
    paths = find_sources(Path(arguments.folder), sources, load_pseudonyms())
    yield from decode_labelled(
        labelled, paths, NiftiDecoder(arguments, dataset.image_size, dataset.channels)
    )


def decode_labelled(
    labelled: Sequence[tuple[FileFacts, Labelled]],
    paths: Mapping[str, Path],
    decoder: NiftiDecoder,
) -> Iterator[Case | Quarantined]:
    """Yield each file's case, or why there is none, given where each source is."""
    work = ((facts, label, paths[facts.source]) for facts, label in labelled)
    num_values = sum(facts.num_pixels for facts, _ in labelled)
    yield from ordered_map(
        decoder, work, workers=workers_for(num_values, decoder.arguments.workers)
    )


def _arguments(dataset: Dataset) -> NiftiArguments:
    arguments = check_config(dataset.arguments, NiftiArguments, place=f"{dataset.title}: arguments")
    require_axes_for(arguments.spacing_mm, dataset)
    return arguments


def _labelled(
    files: list[FileFacts], labels: dict[str, Labelled]
) -> Iterator[tuple[FileFacts, Labelled] | Quarantined]:
    for facts in files:
        try:
            label = label_of([facts], labels, "file")
            if not label.patient:
                advice = "name its patient in the table of labels"
                raise Refused(reason="no patient", advice=advice)
            yield facts, label
        except Refused as refused:
            yield Quarantined(facts.source, refused.reason, refused.advice)


@dataclass(frozen=True)
class NiftiScanner:
    """Turn a NIfTI file into its facts; whatever is wrong with it becomes a fault."""

    folder: Path
    pseudonyms: Pseudonyms
    max_pixels: int

    def wants(self, name: str) -> bool:
        """Return whether a name ends as a NIfTI file's does."""
        return name.lower().endswith(_SUFFIXES) and not name.startswith(".")

    def __call__(self, relative: str) -> FileFacts:
        """Return the facts of a file below the folder; no text of its header is read."""
        path = self.folder / relative
        facts = FileFacts(relative, "", 0, file=self.pseudonyms("file", relative))
        try:
            facts = replace(facts, num_bytes=path.stat().st_size, sha256=file_digest(path))
            nifti = open_nifti(path)
            require_bytes_for_claims(nifti, facts.num_bytes, max_pixels=self.max_pixels)
            # The index counts a volume's values as rows, columns and frames of one sample.
            rows, columns, *others = (*nifti.shape, 1, 1)
            facts = replace(facts, num_rows=rows, num_columns=columns, num_samples=1)
            facts = replace(facts, num_frames=math.prod(others))
        except Refused as refused:
            facts = replace(facts, fault=refused.reason, advice=refused.advice)
        except OSError:
            facts = replace(facts, fault=UNREADABLE[0], advice=UNREADABLE[1])
        return facts


@dataclass(frozen=True)
class NiftiDecoder:
    """Read labelled volumes; it goes to a worker process, so it holds nothing that is open."""

    arguments: NiftiReadingArguments
    size: list[int]
    channels: int

    def __call__(self, work: tuple[FileFacts, Labelled, Path]) -> Case | Quarantined:
        """Return a file's case, or why there is none."""
        facts, labelled, path = work
        try:
            require_unchanged(path, facts)
            values, affine = _volume(path, self.arguments)
            image, spacing = self._fitted(values, affine)
        except Refused as refused:
            return Quarantined(facts.source, refused.reason, refused.advice)
        except OSError:
            return Quarantined(facts.source, *UNREADABLE)
        shown = in_equal_channels(image, self.channels)
        return make_case(
            facts.file, shown, facts, labelled, sha256=facts.sha256, spacing_mm=spacing
        )

    def _fitted(
        self, values: np.ndarray, affine: np.ndarray
    ) -> tuple[np.ndarray, tuple[float, ...]]:
        window = chosen_window(values, self.arguments.window, tagged=None)
        shown = window(values, "float32")
        if len(self.size) == 3:
            fitted, spacing = resampled_volume(
                shown,
                affine,
                self.size,
                self.arguments.spacing_mm,
                max_voxels=self.arguments.max_pixels,
            )
        else:
            plane, row_mm, column_mm = self._axial(shown, affine)
            fitted = resize(plane[..., None], tuple(self.size))[..., 0]
            rows, columns = plane.shape
            spacing = (row_mm * rows / self.size[0], column_mm * columns / self.size[1])
        return window.scaled(fitted, self.arguments.dtype), spacing

    def _axial(self, values: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, float, float]:
        """Return an axial slice, anterior up and the patient's right on the left, with its mm."""
        orientation = io_orientation(affine)
        turned = apply_orientation(values, orientation)
        wanted = turned.shape[2] // 2 if self.arguments.slice == "middle" else self.arguments.slice
        if not 0 <= wanted < turned.shape[2]:
            advice = f"slice {wanted} is asked for, the volume has {turned.shape[2]}"
            raise Refused(reason="slice not in the volume", advice=advice)
        edges = np.linalg.norm(affine[:3, :3], axis=0)
        right_mm, anterior_mm, _ = edges[np.argsort(orientation[:, 0])]
        return turned[::-1, ::-1, wanted].T, float(anterior_mm), float(right_mm)


def _volume(path: Path, arguments: NiftiReadingArguments) -> tuple[np.ndarray, np.ndarray]:
    """Return one volume of a file, float32 and scaled as its header says, and its affine in mm."""
    nifti = open_nifti(path)
    image, shape = nifti.image, (*nifti.shape, 1, 1)
    num_volumes = math.prod(shape[3:])
    if arguments.volume is None and num_volumes > 1:
        raise Refused(reason="several volumes", advice="choose one with 'volume'")
    wanted = arguments.volume or 0
    if wanted >= num_volumes:
        advice = f"volume {wanted} is asked for, the file has {num_volumes}"
        raise Refused(reason="volume not in the file", advice=advice)
    if image.get_data_dtype().kind not in "iuf":
        raise Refused(reason="voxels are no numbers", advice="colour and complex are not read")
    affine = nifti.affine_mm()
    which = np.unravel_index(wanted, shape[3:], order="F")[: len(image.shape) - 3]
    try:
        with np.errstate(over="ignore"):  # what is no number in float32 is infinite, and refused
            values = np.asarray(image.dataobj[(..., *map(int, which))], dtype=np.float32)
    except DAMAGE as error:
        advice = "it is truncated or damaged: export it again"
        raise Refused(reason="voxels cannot be read", advice=advice) from error
    if not np.isfinite(values).all():
        raise Refused(reason="voxels are not finite", advice="replace NaN and infinity")
    return values.reshape((*values.shape, 1, 1)[:3]), affine
