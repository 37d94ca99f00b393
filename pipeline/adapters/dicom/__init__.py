"""A hospital's own folder of DICOM files, of any nesting, with its table of labels.

`acquire` indexes the folder and hashes whoever is named in it; `read` opens the files through that
index. The files stay where they are: none is copied into what a data version keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.dicom.agreement import agreeing, complete
from pipeline.adapters.dicom.arguments import DicomArguments, ReadingArguments
from pipeline.adapters.dicom.decoding import SeriesDecoder
from pipeline.adapters.dicom.header import HeaderScanner
from pipeline.adapters.dicom.planning import Planned, Planner, named_by_their_studies
from pipeline.adapters.folder_cases import Folder, rows_without_files, screened, separated
from pipeline.adapters.folder_index import read_index, write_index
from pipeline.adapters.identity import find_sources, load_pseudonyms
from pipeline.adapters.parallel import ordered_map, workers_for
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


def read_indexed(
    raw: Path, dataset: Dataset, arguments: ReadingArguments, folder: Folder
) -> Iterator[Case | Quarantined]:
    """Yield first what is left out unread, then the cases, in the order of the index.

    Memory is bounded by a few cases a worker, whatever the folder holds.

    Raises `InputError` if nothing was acquired, or a file went missing since.
    """
    index = read_index(raw)
    volumes = len(dataset.image_size) == 3
    sound, faulty = separated(
        screened(
            index.files,
            max_pixels=arguments.max_pixels,
            allow_burned_in=arguments.allow_burned_in,
        )
    )
    stacked = volumes or arguments.case == "series"
    usable, odd = separated(agreeing(sound, stacked=stacked))
    torn: list[Quarantined] = []
    if stacked:
        usable, torn = separated(complete(usable, index.files))
    planner = Planner(index.labels, folder.key, arguments, volumes=volumes)
    plans, unplanned = separated(planner(usable))
    yield from (*faulty, *odd, *torn, *unplanned)
    if not folder.allow_rows_without_files:
        present = {getattr(each, folder.key) for each in index.files}
        yield from rows_without_files(index.labels.values(), present, folder.key)
    paths = find_sources(folder.path, [each.source for each in usable], folder.pseudonyms)
    decoder = SeriesDecoder(arguments, dataset.image_size, dataset.channels)
    work = ((plan, _own(plan, paths)) for plan in named_by_their_studies(plans))
    workers = workers_for(sum(each.num_pixels for each in usable), arguments.workers)
    for cases in ordered_map(decoder, work, workers=workers):
        yield from cases


def _own(plan: Planned, paths: dict[str, Path]) -> dict[str, Path]:
    return {each.facts.source: paths[each.facts.source] for each in plan.slices}
