"""Account for every file: it is part of one decision, or listed as what it is instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.adapters import Quarantined
from pipeline.predicting.deciding import Evidence, Image
from pipeline.predicting.inputs import InputFile
from pipeline.predicting.reading import Reading, Sources, Study

READ, COPY = "read", "copy of another"

COPIES = ("duplicate file",)
"""What readers say of a file that another one is a copy of."""

_MORE = " (and "
"""What follows the first of several files of a series."""


@dataclass(frozen=True)
class FileFate:
    """What became of one file.

    Attributes
    ----------
    source : str
        Its name, masked.
    file : InputFile
    study : Study or None
        Patient and study of the decision that it is part of; None where it is of none.
    fate : str
        `READ`, `COPY`, what it is instead of an image, or why it cannot be used.
    advice : str
        What its owner can do.
    """

    source: str
    file: InputFile
    study: Study | None
    fate: str
    advice: str = ""


def fates_of(files: Sources, reading: Reading, faults: Iterable[Quarantined]) -> Iterator[FileFate]:
    """Yield what became of every file, once its reading came to an end.

    Parameters
    ----------
    files : mapping of str to InputFile
    reading : Reading
    faults : iterable of Quarantined
        Every reason why a file, or a series of several, could not be used.
    """
    studies = reading.studies()
    told = _by_source(reading, faults)
    for source, file in files.items():
        study: Study | None = studies[source]
        fate, advice = READ, ""
        if source in reading.without_image:
            study, fate = None, reading.without_image[source]
        elif source in reading.of_another_kind:
            fate = reading.of_another_kind[source]
        elif source in told:
            fate, advice = told[source].reason, told[source].advice
        if fate in COPIES:
            study, fate = None, COPY
        yield FileFate(source, file, study, fate, advice)


def _by_source(reading: Reading, faults: Iterable[Quarantined]) -> dict[str, Quarantined]:
    """Return what is told of each source; of a series it is told of all its files."""
    series: dict[str, list[str]] = defaultdict(list)
    for source, facts in reading.facts.items():
        if facts.series and source not in reading.without_image:
            series[facts.series].append(source)
    told: dict[str, Quarantined] = {}
    for each in faults:
        first = each.source.split(_MORE, 1)[0]
        told[first] = each
        if each.num_files > 1:
            for source in series[reading.facts[first].series]:
                told.setdefault(source, each)
    return told


def gathered(
    fates: Iterable[FileFate], images: Iterable[Image], reading: Reading
) -> list[Evidence]:
    """Return what is known of every study, in the order of patients and studies."""
    studies = reading.studies()
    seen: dict[Study, list[Image]] = defaultdict(list)
    for image in images:
        seen[studies[image.source]].append(image)
    members: dict[Study, list[FileFate]] = defaultdict(list)
    for fate in fates:
        if fate.study is not None:
            members[fate.study].append(fate)
    return [
        _evidence(study, members[study], seen[study], reading.of_another_kind)
        for study in sorted(members)
    ]


def _evidence(
    study: Study, files: list[FileFate], images: list[Image], other: dict[str, str]
) -> Evidence:
    kinds = [each.fate for each in files if each.source in other]
    faults = [each.fate for each in files if each.source not in other and each.fate != READ]
    if not (images or faults or kinds):
        faults = ["no image came of it"]
    return Evidence(*study, images=images, faults=faults, of_another_kind=kinds)
