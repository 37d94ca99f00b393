"""A prepared data set seen otherwise: corrupted, or as the foreign partner of another.

Its cases are the test cases of the set it derives from, brought to this set's own image size and
channels. With corruptions every case comes once for each kind and severity, and `site` says which,
so that results are broken down by it as they are by hospital.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field, NonNegativeInt, PositiveInt

from pipeline.adapters.case import Case
from pipeline.adapters.matching import match
from pipeline.artifacts import Prepared, read_json, read_prepared, write_json
from pipeline.config import Dataset
from pipeline.config.reading import Strict
from pipeline.corruptions import SEVERITIES, corrupt
from pipeline.errors import InputError, located
from pipeline.splits import Split

SOURCE = "source.json"


class Arguments(Strict):
    """What a data set of this format states.

    `prepared` is the folder of the set that it derives from, relative to where commands are run.
    `corruptions` are kinds of `pipeline.corruptions`; without any the images are merely matched.
    `without_classes` leaves those classes of the other set out; `cases` keeps that many of the
    rest, each class within one case of its share.
    """

    prepared: str
    split: Split = "test"
    corruptions: list[str] = []
    severities: list[int] = Field(default=list(SEVERITIES), min_length=1)
    without_classes: list[str] = []
    cases: PositiveInt | None = None
    seed: NonNegativeInt = 0


def acquire(raw: Path, dataset: Dataset) -> None:
    """Write down which version of the other set this one derives from; its images stay there."""
    arguments = dataset.arguments_as(Arguments)
    card = read_json(Path(arguments.prepared) / "card.json")
    write_json({"fingerprint": card["fingerprint"], "name": card["name"]}, raw / SOURCE)


def read(raw: Path, dataset: Dataset) -> Iterator[Case]:
    """Yield the other set's cases, kind by kind and severity by severity.

    Raises `InputError` if the other set is absent or has changed, has other classes, or cannot be
    matched.
    """
    arguments = dataset.arguments_as(Arguments)
    prepared = read_prepared(Path(arguments.prepared))
    with located(arguments.prepared):
        _require_same_source(prepared, read_json(raw / SOURCE), arguments, dataset)
    rows = _kept_rows(prepared, arguments)
    if not arguments.corruptions:
        yield from (_case(prepared, row, dataset) for row in rows)
    for number, view in enumerate(product(arguments.corruptions, arguments.severities)):
        for row in rows:
            random = np.random.default_rng([arguments.seed, number, row])
            yield _corrupted(_case(prepared, row, dataset), *view, random)


def _require_same_source(
    prepared: Prepared, source: dict[str, str], arguments: Arguments, dataset: Dataset
) -> None:
    if prepared.card["fingerprint"] != source["fingerprint"]:
        message = "another version than the acquired one: run acquire again"
        raise InputError(message)
    classes = prepared.card["classes"]
    if strangers := sorted(set(arguments.without_classes) - set(classes)):
        message = f"'without_classes' names no class of it: {strangers}"
        raise InputError(message)
    left = [name for name in classes if name not in arguments.without_classes]
    if left != dataset.classes:
        message = f"its classes are {left}, got {dataset.classes}"
        raise InputError(message)


def _kept_rows(prepared: Prepared, arguments: Arguments) -> np.ndarray:
    """Return the rows that the arguments leave of the split, in their order."""
    rows = prepared.rows(arguments.split)
    labels = prepared.cases["label"].to_numpy()[rows]
    dropped = [prepared.card["classes"].index(name) for name in arguments.without_classes]
    rows, labels = rows[~np.isin(labels, dropped)], labels[~np.isin(labels, dropped)]
    if arguments.cases is None or arguments.cases >= len(rows):
        return rows
    # Evenly spaced places in the order of classes, within which the order is random.
    shuffled = np.random.default_rng(arguments.seed).permutation(len(rows))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    places = (np.arange(arguments.cases) + 0.5) * len(rows) / arguments.cases
    return np.sort(rows[by_class[places.astype(int)]])


def _case(prepared: Prepared, row: int, dataset: Dataset) -> Case:
    known = prepared.cases.iloc[row]
    return Case(
        case=known["case"],
        image=match(np.asarray(prepared.images[row]), dataset.image_size, dataset.channels),
        label=dataset.classes.index(prepared.card["classes"][known["label"]]),
        patient=known["patient"],
        patient_is="image" if known["patient"] == known["case"] else "patient",
        source=f"{prepared.card['name']}/{known['case']}",
        source_sha256=known["pixel_sha256"],
        split="test",
        site=known["site"],
        sex=known["sex"],
        age=None if pd.isna(known["age"]) else float(known["age"]),
        truth=None if known["truth"] is None else tuple(known["truth"]),
    )


def _corrupted(case: Case, kind: str, severity: int, random: np.random.Generator) -> Case:
    view = f"{kind.replace('_', ' ')} {severity}"
    image = corrupt(case.image, kind, severity, random)
    return replace(case, case=f"{case.case}, {view}", image=image, site=view)
