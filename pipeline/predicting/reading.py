"""What a reader of new cases hands over: every file's facts, and the cases as they are decoded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from pipeline.adapters import Case, Quarantined
from pipeline.adapters.file_facts import FileFacts
from pipeline.adapters.folder_index import Scanner
from pipeline.adapters.folder_listing import canonical_path, require_distinct
from pipeline.adapters.identity import Pseudonyms, hide_names
from pipeline.adapters.parallel import ordered_map
from pipeline.metrics.side_by_side import available_cores
from pipeline.predicting.inputs import InputFile
from pipeline.releasing import Release

ROOT = Path("/")
"""What a scanner is told its folder is: it is given whole paths."""

_FILES_A_WORKER = 4096

Sources = Mapping[str, InputFile]
"""Files by the masked name that stands for each wherever it is written."""

Study = tuple[str, str]
"""A patient's key and a study's."""


@dataclass(frozen=True)
class Reading:
    """Some files, read as the study's were.

    Attributes
    ----------
    facts : dict of str to FileFacts
        Of every file, by source.
    cases : iterator of Case or Quarantined
        Images as they are decoded, with no label; what cannot be decoded, with its reason.
    without_image : dict of str to str
        Sources of which nothing is to be decided, and what they are.
    of_another_kind : dict of str to str
        Sources of images that the release does not read, and what they are.
    """

    facts: dict[str, FileFacts]
    cases: Iterator[Case | Quarantined]
    without_image: dict[str, str] = field(default_factory=dict)
    of_another_kind: dict[str, str] = field(default_factory=dict)

    def studies(self) -> dict[str, Study]:
        """Return whose each source is.

        Where a file names no patient, the one whom others of its study name is; else the study
        stands for both, the series, or the file.
        """
        named: dict[str, set[str]] = defaultdict(set)
        for each in self.facts.values():
            named[each.study] |= {each.patient} - {""}
        return {
            source: (_patient_of(each, named[each.study]), _study_of(each))
            for source, each in self.facts.items()
        }


class Reader(Protocol):
    """Read files of one format as `prepare` does."""

    def __call__(self, files: Sources, release: Release, pseudonyms: Pseudonyms) -> Reading:
        """Return every file's facts at once, and its images one after the other."""
        ...


def masked(files: list[InputFile], pseudonyms: Pseudonyms) -> dict[str, InputFile]:
    """Return files by what stands for their names; `InputError` if two are spelt alike."""
    names = [hide_names(file.name, pseudonyms) for file in files]
    require_distinct(names, "the input")
    return dict(zip(names, files, strict=True))


def unread(source: str, file: InputFile, pseudonyms: Pseudonyms) -> FileFacts:
    """Return what is known of a file before it is opened."""
    key = pseudonyms("file", canonical_path(file.name))
    return FileFacts(source, "", 0, file=key, fault=file.fault, advice=file.advice)


def scanned(files: Sources, scanner: Scanner) -> dict[str, FileFacts]:
    """Return the facts of files, read where they can be."""
    sound = {source: file for source, file in files.items() if not file.fault}
    paths = [str(file.path.absolute()) for file in sound.values()]
    workers = min(available_cores(), 1 + len(paths) // _FILES_A_WORKER)
    read = dict(zip(sound, ordered_map(scanner, paths, workers=workers), strict=True))
    facts = {source: unread(source, file, scanner.pseudonyms) for source, file in files.items()}
    for source, each in read.items():
        facts[source] = replace(each, source=source, file=facts[source].file)
    return facts


def _patient_of(facts: FileFacts, named: set[str]) -> str:
    if facts.patient or not facts.study:
        return facts.patient or _study_of(facts)
    return min(named) if len(named) == 1 else facts.study


def _study_of(facts: FileFacts) -> str:
    return facts.study or facts.series or facts.file
