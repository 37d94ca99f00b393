"""Read the cases of an indexed folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.dicom.agreement import agreeing
from pipeline.adapters.dicom.arguments import ReadingArguments
from pipeline.adapters.dicom.completeness import complete
from pipeline.adapters.dicom.decoding import Decoder
from pipeline.adapters.dicom.planning import Planned, Planner, named_by_their_studies
from pipeline.adapters.folder_cases import Folder, rows_without_files, separated
from pipeline.adapters.folder_index import read_index
from pipeline.adapters.folder_screening import screened
from pipeline.adapters.identity import find_sources
from pipeline.adapters.parallel import ordered_map, workers_for
from pipeline.config import Dataset


def read_indexed(
    raw: Path, dataset: Dataset, arguments: ReadingArguments, folder: Folder
) -> Iterator[Case | Quarantined]:
    """Yield first what is left out unread, then the cases, in the order of the index.

    Memory is bounded by a few cases a worker, whatever the folder holds.

    Raises
    ------
    InputError
        If nothing was acquired, or a file went missing since.
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
    decoder = Decoder(arguments, dataset.image_size, dataset.channels)
    work = ((plan, _own(plan, paths)) for plan in named_by_their_studies(plans))
    workers = workers_for(sum(each.num_pixels for each in usable), arguments.workers)
    for cases in ordered_map(decoder, work, workers=workers):
        yield from cases


def _own(plan: Planned, paths: dict[str, Path]) -> dict[str, Path]:
    return {each.facts.source: paths[each.facts.source] for each in plan.slices}
