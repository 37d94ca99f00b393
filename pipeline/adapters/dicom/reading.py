"""Read the cases of an indexed folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.dicom.arguments import ReadingArguments
from pipeline.adapters.dicom.decoding import Decoder
from pipeline.adapters.dicom.header import FileFacts
from pipeline.adapters.dicom.index import read_index
from pipeline.adapters.dicom.planning import Planned, Planner
from pipeline.adapters.dicom.screening import screen
from pipeline.adapters.identity import Pseudonyms, find_sources
from pipeline.adapters.label_table import KeyKind
from pipeline.adapters.parallel import available_cores, ordered_map
from pipeline.config import Dataset

_PIXELS_A_WORKER = 2**25
"""About 130 CT slices: less is decoded sooner than a worker process has started."""


@dataclass(frozen=True)
class Folder:
    """Where an index's files are, what its labels are keyed by, and what masked its paths."""

    path: Path
    key: KeyKind
    pseudonyms: Pseudonyms


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
    usable: list[FileFacts] = []
    for each in screen(index.files, arguments, volumes=volumes):
        if isinstance(each, Quarantined):
            yield each
        else:
            usable.append(each)
    paths = find_sources(folder.path, [each.source for each in usable], folder.pseudonyms)
    plans: list[Planned] = []
    for plan in Planner(index.labels, folder.key, arguments, volumes)(usable):
        if isinstance(plan, Quarantined):
            yield plan
        else:
            plans.append(plan)
    decoder = Decoder(arguments, dataset.image_size, dataset.channels)
    work = ((plan, _own(plan, paths)) for plan in plans)
    for cases in ordered_map(decoder, work, workers=_workers(arguments, usable)):
        yield from cases


def _own(plan: Planned, paths: dict[str, Path]) -> dict[str, Path]:
    return {each.facts.source: paths[each.facts.source] for each in plan.slices}


def _workers(arguments: ReadingArguments, files: list[FileFacts]) -> int:
    if arguments.workers is not None:
        return arguments.workers
    num_pixels = sum(each.num_pixels for each in files)
    return min(available_cores(), 1 + num_pixels // _PIXELS_A_WORKER)
