"""A place's own files with its table of labels: read as a release reads, put through its networks.

Nothing that `prepare` keeps is kept here: images go through in batches, and their logits stay.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import prod
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from pipeline.adapters import Case, Quarantined
from pipeline.adapters.folder_listing import canonical_path
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.label_table import Labelled, LabelTableArguments, label_rows, read_rows
from pipeline.artifacts import Predictions
from pipeline.errors import InputError
from pipeline.predicting.inputs import find_files
from pipeline.predicting.predictor import READERS
from pipeline.predicting.reading import Reading, masked
from pipeline.preparing.collecting import case_fault
from pipeline.releasing import Release
from pipeline.releasing.exporting import VALUES_AT_ONCE
from pipeline.releasing.model import Model
from pipeline.training.predictions import age_band

MOST_EXAMPLES = 64
"""Images that the new program is tried on."""

NO_LABEL = "no label in the table"


@dataclass(frozen=True)
class SiteCases:
    """Labelled images of a place, as a release's networks see them.

    Attributes
    ----------
    predictions : Predictions
        Logits of the networks, before any calibrator; groups are site, sex and age band.
    people : DataFrame, (cases, columns)
        patient, site, sex and age of each case.
    scope_scores : float array, (cases,)
    examples : array, (examples, *spatial, channels)
        The images of the first cases.
    left_out : dict of str to int
        How many images were of no use, by reason.
    num_nameless : int
        Images that name no patient.
    """

    predictions: Predictions
    people: pd.DataFrame
    scope_scores: Float[np.ndarray, "cases"]
    examples: np.ndarray
    left_out: dict[str, int]
    num_nameless: int


@dataclass(frozen=True)
class _Seen:
    case: Case
    patient: str
    label: int
    logits: np.ndarray
    scope_score: float


def read_site(
    release: Release,
    model: Model,
    folder: Path,
    table: LabelTableArguments,
    pseudonyms: Pseudonyms,
) -> SiteCases:
    """Return a place's labelled images.

    Parameters
    ----------
    release : Release
        Its preprocessing says how files are read.
    model : Model
        Its parts.
    folder : Path
        Files at any depth, and zip archives.
    table : LabelTableArguments
        Which image, series, study or patient has which label.
    pseudonyms : Pseudonyms
        What identifiers leave as.

    Raises
    ------
    InputError
        If a label is none of the classes, two contradict, or no labelled image is left.
    """
    labels = _labels(table, release, folder, pseudonyms)
    left_out: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        named = masked(find_files([folder], Path(scratch)), pseudonyms)
        reading = READERS[release.preprocessing.reader](named, release, pseudonyms)
        left_out.update(reading.of_another_kind.values())
        cases = _labelled_cases(reading, labels, table, left_out)
        seen = list(_through(model, cases, release))
    if not seen:
        told = ", ".join(f"{number} {reason}" for reason, number in left_out.items()) or "no file"
        message = f"{folder}: at least one labelled image expected, got none: {told}"
        raise InputError(message)
    return _gathered(seen, left_out)


def _labels(
    table: LabelTableArguments, release: Release, folder: Path, pseudonyms: Pseudonyms
) -> dict[str, Labelled]:
    """Return what the table says, by keyed hash; a path is one below the folder."""
    place = folder.resolve().name

    def hashed(kind: str, value: str) -> str:
        return pseudonyms(kind, canonical_path(f"{place}/{value}") if kind == "file" else value)

    labels = label_rows(read_rows(table), table, release.classes, hashed)
    for each in labels.values():
        if each.fault:
            message = f"{table.table}: row {each.row}: {each.fault} ({each.advice})"
            raise InputError(message)
    return labels


def _labelled_cases(
    reading: Reading,
    labels: Mapping[str, Labelled],
    table: LabelTableArguments,
    left_out: Counter[str],
) -> Iterator[tuple[Case, str, int]]:
    """Yield each image with its patient and label; count what is of no use."""
    studies = reading.studies()
    keys: set[str] = set()
    for each in reading.cases:
        fault = each if isinstance(each, Quarantined) else case_fault(each, keys)
        if fault is not None:
            left_out[fault.reason] += 1
        elif isinstance(each, Case):
            keys.add(each.case)
            label = labels.get(getattr(reading.facts[each.source], table.key))
            if label is None:
                left_out[NO_LABEL] += 1
            else:
                yield each, studies[each.source][0], label.label


def _through(
    model: Model, cases: Iterator[tuple[Case, str, int]], release: Release
) -> Iterator[_Seen]:
    """Yield what networks and likeness make of images; memory holds a batch of them."""
    program = model.program(threshold=None, scope_threshold=release.scope.threshold)
    program.eval()
    size = max(1, VALUES_AT_ONCE // (prod(release.image_size) * release.channels))
    while batch := list(islice(cases, size)):
        images = np.stack([case.image for case, _, _ in batch]).astype(np.float32)
        tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1)))
        with torch.no_grad():
            logits, scores = program.logits(tensor).numpy(), program.likeness(tensor).numpy()
        for (case, patient, label), row, score in zip(batch, logits, scores, strict=True):
            yield _Seen(case, patient, label, row, float(score))


def _gathered(seen: list[_Seen], left_out: Counter[str]) -> SiteCases:
    people = pd.DataFrame(
        {
            "patient": [each.patient for each in seen],
            "site": [each.case.site for each in seen],
            "sex": [each.case.sex for each in seen],
            "age": [each.case.age for each in seen],
        }
    )
    groups = people[["site", "sex"]].assign(age_band=[age_band(age) for age in people["age"]])
    return SiteCases(
        predictions=Predictions(
            logits=np.stack([each.logits for each in seen]),
            labels=np.array([each.label for each in seen], dtype=np.int64),
            cases=np.array([each.case.case for each in seen]),
            patients=people["patient"].to_numpy(dtype=str),
            groups=groups.astype(str),
        ),
        people=people,
        scope_scores=np.array([each.scope_score for each in seen]),
        examples=np.stack([each.case.image for each in seen[:MOST_EXAMPLES]]),
        left_out=dict(sorted(left_out.items())),
        num_nameless=sum(each.case.patient_is != "patient" for each in seen),
    )
