"""Sort out the files that give no case, and join the others with what the table says of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from pipeline.adapters.case import NOT_RECORDED, Case, PatientIs, Quarantined
from pipeline.adapters.folder_index import FileFacts
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.label_table import KeyKind, Labelled
from pipeline.adapters.refused import Refused, too_large

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Folder:
    """Where an index's files are, what its labels are keyed by, and what masked its paths.

    `allow_rows_without_files` says that the labels are of more than the folder.
    """

    path: Path
    key: KeyKind
    pseudonyms: Pseudonyms
    allow_rows_without_files: bool = False


def separated(items: Iterable[Kept | Quarantined]) -> tuple[list[Kept], list[Quarantined]]:
    """Return what is kept and what is left out, each in its order."""
    kept: list[Kept] = []
    left_out: list[Quarantined] = []
    for each in items:
        if isinstance(each, Quarantined):
            left_out.append(each)
        else:
            kept.append(each)
    return kept, left_out


def label_of(members: list[FileFacts], labels: dict[str, Labelled], key: KeyKind) -> Labelled:
    """Return what the table says of a case's files.

    Raises `Refused` if it says nothing, nothing usable, or different things of different files.
    """
    keys = {getattr(facts, key) for facts in members}
    found = [labels[each] for each in sorted(keys) if each in labels]
    if not found:
        advice = f"add its {key} to the table of labels, or take it out"
        raise Refused(reason="no label", advice=advice)
    if fault := next((each for each in found if each.fault), None):
        raise Refused(reason=fault.fault, advice=fault.advice)
    if len({replace(each, key="") for each in found}) > 1:
        raise Refused(reason="conflicting labels", advice="give the files of a case equal rows")
    return found[0]


def rows_without_files(
    labels: Iterable[Labelled], present: Container[str], key: KeyKind
) -> Iterator[Quarantined]:
    """Yield every row of a table whose key is of no file, in the rows' order.

    A row is named by its number: its key may be a patient's.
    """
    what = "path below the folder (capitals count)" if key == "file" else key
    advice = f"no readable file has its {what}: add the file, correct the row or take it out"
    for each in sorted(labels, key=lambda each: each.row):
        if each.key not in present:
            yield Quarantined(f"row {each.row} of the labels", "no file for this row", advice)


def require_unchanged(path: Path, facts: FileFacts) -> None:
    """Raise `Refused` if a file is not as long as it was when the folder was acquired.

    Its bytes are not hashed again: that would cost a quarter of the time of reading it.
    """
    if path.stat().st_size != facts.num_bytes:
        advice = "run acquire again"
        raise Refused(reason="file changed since it was acquired", advice=advice)


def make_case(
    name: str,
    image: np.ndarray,
    facts: FileFacts,
    labelled: Labelled,
    *,
    sha256: str,
    spacing_mm: tuple[float, ...] | None,
    num_files: int = 1,
) -> Case:
    """Return a case; where both the table and the header say something, the table is believed.

    Where neither names the patient, the study stands for them, else the series, else the file.
    """
    patient, patient_is = _patient_of(facts, labelled)
    return Case(
        case=name,
        image=image,
        label=labelled.label,
        patient=patient,
        patient_is=patient_is,
        source=facts.source,
        source_sha256=sha256,
        split=labelled.split,
        site=labelled.site if labelled.site != NOT_RECORDED else facts.site,
        sex=labelled.sex if labelled.sex != NOT_RECORDED else facts.sex,
        age=labelled.age if labelled.age is not None else facts.age,
        spacing_mm=spacing_mm,
        truth=labelled.truth,
        num_files=num_files,
    )


def _patient_of(facts: FileFacts, labelled: Labelled) -> tuple[str, PatientIs]:
    keys: dict[PatientIs, str] = {
        "patient": labelled.patient or facts.patient,
        "study": facts.study,
        "series": facts.series,
        "file": facts.file,
    }
    return next((key, kind) for kind, key in keys.items() if key)


def screened(
    files: Iterable[FileFacts], *, max_pixels: int, allow_burned_in: bool = False
) -> Iterator[FileFacts | Quarantined]:
    """Yield every file, in order, as it is or as the reason why it is left out.

    Of two duplicates the first stays.
    """
    seen: dict[str, str] = {}
    for facts in files:
        fault = _fault_of(facts, max_pixels, allow_burned_in, seen)
        if fault is not None:
            yield Quarantined(facts.source, *fault)
        else:
            seen |= {key: facts.source for key in (facts.sha256, facts.sop) if key}
            yield facts


def _fault_of(
    facts: FileFacts, max_pixels: int, allow_burned_in: bool, seen: dict[str, str]
) -> tuple[str, str] | None:
    if facts.fault:
        return facts.fault, facts.advice
    if facts.num_pixels > max_pixels:
        refused = too_large(facts.num_pixels, "values")
        return refused.reason, refused.advice
    if facts.burned_in and not allow_burned_in:
        advice = "its pixels may show who it is: look, then clean it or set 'allow_burned_in'"
        return "burned-in annotation", advice
    if facts.sha256 in seen:
        return "duplicate file", f"keep one copy: it has the bytes of {seen[facts.sha256]}"
    if facts.sop in seen:
        advice = f"keep the right one of it and {seen[facts.sop]}, another image of that UID"
        return "duplicate SOP instance UID", advice
    return None
