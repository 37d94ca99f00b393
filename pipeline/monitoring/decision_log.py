"""The log of decisions: JSON Lines that `predict` writes and a node adds to, read whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.json
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from pipeline.config.reading import first_fault
from pipeline.errors import InputError, located

OUTCOMES = ("answered", "referred")
MODEL_REASONS = ("", "not confident", "out of scope", "no guarantee")
"""Why the model itself decided so; any other reason is one of the file or of who the patient is."""

OTHER_REASONS = ("unreadable", "missing image", "outside limits")

TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)$"

MAX_LINE = 16_000_000
"""Bytes."""

_SAME = ["release", "outcome", "reason", "predicted", "confidence"]
"""What two decisions on one study must share to be one."""


class Line(TypedDict):
    """One decision, on all images of one patient and study."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)  # type: ignore[misc]

    patient: Annotated[str, Field(min_length=1)]
    study: Annotated[str, Field(min_length=1)]
    outcome: Literal["answered", "referred"]
    reason: Literal[
        "", "not confident", "out of scope", "unreadable", "missing image", "outside limits",
        "no guarantee",
    ]  # fmt: skip
    detail: str
    predicted: str
    probabilities: dict[str, Annotated[float, Field(ge=0, le=1)]]
    confidence: Annotated[float, Field(ge=0, le=1)] | None
    threshold: float | None
    site: str
    num_images: Annotated[int, Field(ge=0)]
    decided_at: Annotated[str, Field(pattern=TIME)]
    release: str


def read_decisions(
    paths: Sequence[Path], *, release: str, classes: Sequence[str]
) -> pd.DataFrame:
    """Return all decisions in the order of their times, each study once.

    Parameters
    ----------
    paths : sequence of Path
        Logs of one release, in any order; each is written in the order of time.
    release : str
        The release that must have decided: the hash of its SHA256SUMS.
    classes : sequence of str

    Returns
    -------
    DataFrame
        The keys of `Line`, with a column ``probability_CLASS`` for each class in the place of
        ``probabilities``, NaN where there is none.

    Raises
    ------
    InputError
        Naming the file and line that is no such decision, of another release or class, or earlier
        than the one before it; or if a study was decided twice, and differently.
    """
    tables = []
    for path in paths:
        with located(path):
            table = _table(path, classes)
            _require_sound(table, path, release, classes)
            tables.append(table)
    log = pd.concat(tables, ignore_index=True)
    log = log.sort_values("decided_at", kind="stable", ignore_index=True)
    return _each_study_once(log)


def _table(path: Path, classes: Sequence[str]) -> pd.DataFrame:
    """Return a log's lines as they are, by Arrow's reader: a million take seconds."""
    text, number = pa.string(), pa.float64()
    kinds = dict.fromkeys(Line.__annotations__, text) | {
        "probabilities": pa.struct([(name, number) for name in classes]),
        "confidence": number,
        "threshold": number,
        "num_images": pa.int64(),
    }
    try:
        if path.stat().st_size == 0:
            message = "at least one decision expected, got an empty file"
            raise InputError(message)
        read = pyarrow.json.read_json(
            path,
            read_options=pyarrow.json.ReadOptions(block_size=MAX_LINE),
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=pa.schema(list(kinds.items())), unexpected_field_behavior="error"
            ),
        )
    except OSError as error:
        message = f"cannot be read: {error.strerror or 'no file'}"
        raise InputError(message) from error
    except pa.ArrowInvalid as error:
        _name_fault(path, classes)
        message = "decisions as JSON Lines expected"
        raise InputError(message) from error
    columns = {name: read[name] for name in kinds if name != "probabilities"}
    parts = read["probabilities"].combine_chunks().flatten()
    columns |= {f"probability_{name}": part for name, part in zip(classes, parts, strict=True)}
    return pa.table(columns).to_pandas()


def _require_sound(
    table: pd.DataFrame, path: Path, release: str, classes: Sequence[str]
) -> None:
    """Raise `InputError` for the first line that cannot be believed."""
    probabilities = table.filter(like="probability_")
    optional = ["confidence", "threshold", *probabilities.columns]
    outside = ((probabilities < 0) | (probabilities > 1)).any(axis=1)
    decided = table["reason"].isin(MODEL_REASONS)
    if (
        table.drop(columns=optional).isna().to_numpy().any()
        or outside.any()
        or not table["confidence"].dropna().between(0, 1).all()
        or not table["outcome"].isin(OUTCOMES).all()
        or not table["reason"].isin((*MODEL_REASONS, *OTHER_REASONS)).all()
        or not table["decided_at"].str.fullmatch(TIME).all()
        or (table[["patient", "study"]] == "").to_numpy().any()
    ):
        _name_fault(path, classes)
    bare = table["confidence"].isna() | probabilities.isna().any(axis=1)
    times = table["decided_at"].str[:19]
    known = table["predicted"].isin(classes)
    _require(table["release"] == release, lambda at: "the release named expected, got another's: "
             "keep a log for each release")  # fmt: skip
    _require(~decided | (known & ~bare), lambda at: "a class of the release, its confidence and "
             "every class's probability expected")  # fmt: skip
    _require(known | (table["predicted"] == ""), lambda at: "a class of the release expected")
    _require((table["outcome"] == "answered") == (table["reason"] == ""),
             lambda at: "a reason expected of each referral and of no answer")  # fmt: skip
    _require(times >= times.shift(fill_value=""), lambda at: "decisions in the order of their "
             f"times expected, got one earlier than line {at}")  # fmt: skip


def _require(sound: pd.Series, fault: Callable[[int], str]) -> None:
    if not sound.all():
        at = int(np.flatnonzero(~sound.to_numpy())[0])
        message = f"line {at + 1}: {fault(at)}"
        raise InputError(message)


def _name_fault(path: Path, classes: Sequence[str]) -> None:
    """Raise `InputError` for the first line that is no decision; slow, so only where one is not."""
    adapter = TypeAdapter(Line)
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                decision = adapter.validate_python(json.loads(line))
            except ValidationError as error:
                message = f"line {number}: {_without_values(error)}"
                raise InputError(message) from error
            except (ValueError, RecursionError) as error:
                message = f"line {number}: a decision as JSON expected, got none or a part of one"
                raise InputError(message) from error
            if not set(decision["probabilities"]) <= set(classes):
                message = f"line {number}: probabilities of the release's classes expected"
                raise InputError(message)


def _without_values(error: ValidationError) -> str:
    """Return what is wrong with which key, and nothing of what stands there."""
    return first_fault(error).split(", got")[0]


def _each_study_once(log: pd.DataFrame) -> pd.DataFrame:
    """Return the first decision on each study; the same one may stand in several files."""
    again = log.duplicated(["patient", "study"])
    if not again.any():
        return log
    first = log[~again]
    pairs = log[again].merge(first, on=["patient", "study"], suffixes=("", "_first"))
    for name in _SAME:
        mine, other = pairs[name], pairs[f"{name}_first"]
        if not ((mine == other) | (mine.isna() & other.isna())).all():
            message = f"one decision on each study expected, got two that differ in '{name}'"
            raise InputError(message)
    return first.reset_index(drop=True)
