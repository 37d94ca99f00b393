"""A hospital's own folder of DICOM files, of any nesting, with its table of labels.

`acquire` indexes the folder and hashes whoever is named in it; `read` opens the files through that
index. The files stay where they are: none is copied into what a data version keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.dicom.arguments import DicomArguments
from pipeline.adapters.dicom.header import HeaderScanner
from pipeline.adapters.dicom.reading import read_indexed
from pipeline.adapters.folder_cases import Folder
from pipeline.adapters.folder_index import write_index
from pipeline.adapters.identity import load_pseudonyms
from pipeline.adapters.spatial import require_axes_for
from pipeline.config import Dataset


def acquire(raw: Path, dataset: Dataset) -> None:
    """Index the folder that the config names, and its table of labels, into `raw`."""
    arguments = _arguments(dataset)
    scanner = HeaderScanner(
        folder=Path(arguments.folder),
        pseudonyms=load_pseudonyms(),
        site_names=arguments.site_names,
        max_pixels=arguments.max_pixels,
        left_out_image_types=arguments.leave_out_image_types,
    )
    write_index(raw, scanner, arguments.labels, dataset.classes)


def read(raw: Path, dataset: Dataset) -> Iterator[Case | Quarantined]:
    """Yield the cases of an indexed folder, and what is left out and why."""
    arguments = _arguments(dataset)
    folder = Folder(
        Path(arguments.folder),
        arguments.labels.key,
        load_pseudonyms(),
        allow_rows_without_files=arguments.labels.allow_rows_without_files,
    )
    yield from read_indexed(raw, dataset, arguments, folder)


def _arguments(dataset: Dataset) -> DicomArguments:
    arguments = dataset.arguments_as(DicomArguments)
    require_axes_for(arguments.spacing_mm, dataset)
    return arguments
