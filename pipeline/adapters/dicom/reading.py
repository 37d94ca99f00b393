"""Read the cases of an indexed folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.dicom.agreement import agreeing
from pipeline.adapters.dicom.arguments import ReadingArguments
from pipeline.adapters.dicom.completeness import complete
from pipeline.adapters.dicom.decoding import Decoder
from pipeline.adapters.dicom.planning import Planned, Planner, named_by_their_studies
from pipeline.adapters.file_facts import FileFacts
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
    planner = Planner(index.labels, folder.key, arguments, volumes=len(dataset.image_size) == 3)
    found = plan_files(index.files, planner)
    yield from found.left_out
    if not folder.allow_rows_without_files:
        present = {getattr(each, folder.key) for each in index.files}
        yield from rows_without_files(index.labels.values(), present, folder.key)
    paths = find_sources(folder.path, [each.source for each in found.usable], folder.pseudonyms)
    yield from decode_plans(found, paths, Decoder(arguments, dataset.image_size, dataset.channels))


@dataclass(frozen=True)
class Found:
    """What becomes of some files: cases to be read of those that are usable, and the rest."""

    plans: list[Planned]
    usable: list[FileFacts]
    left_out: list[Quarantined]


def plan_files(files: list[FileFacts], planner: Planner) -> Found:
    """Return which of some files' frames make which case, with nothing but headers read."""
    arguments = planner.arguments
    sound, faulty = separated(
        screened(files, max_pixels=arguments.max_pixels, allow_burned_in=arguments.allow_burned_in)
    )
    stacked = planner.volumes or arguments.case == "series"
    usable, odd = separated(agreeing(sound, stacked=stacked))
    torn: list[Quarantined] = []
    if stacked:
        usable, torn = separated(complete(usable, files))
    plans, unplanned = separated(planner(usable))
    left_out = [*faulty, *odd, *torn, *unplanned]
    return Found(named_by_their_studies(plans), usable, left_out)


def decode_plans(
    found: Found, paths: Mapping[str, Path], decoder: Decoder
) -> Iterator[Case | Quarantined]:
    """Yield the cases that were planned, or why there are none, given where each source is."""
    work = ((plan, _own(plan, paths)) for plan in found.plans)
    num_values = sum(each.num_pixels for each in found.usable)
    for cases in ordered_map(
        decoder, work, workers=workers_for(num_values, decoder.arguments.workers)
    ):
        yield from cases


def _own(plan: Planned, paths: Mapping[str, Path]) -> dict[str, Path]:
    return {each.facts.source: paths[each.facts.source] for each in plan.slices}
