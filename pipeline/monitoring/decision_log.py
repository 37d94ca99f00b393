"""The log of decisions: JSON Lines that `predict` writes and a node adds to, read whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.json
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from pipeline.errors import InputError, located

OUTCOMES = ("answered", "referred")
MODEL_REASONS = ("", "not confident", "out of scope", "no guarantee")
"""Why the model itself decided so, if there is a confidence; other reasons are of files or people.

Without one, what was out of scope was no image of the release's kind.
"""

OTHER_REASONS = ("unreadable", "missing image", "outside limits")

PROBABILITY = "probability_"
"""How a column begins that holds a class's probability."""

TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)$"

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"

CLOCK = pd.Timedelta(minutes=1)
"""By which a clock may be set back while a log is written."""

MAX_LINE = 16_000_000
"""Bytes."""

UNUSED = ["detail", "threshold", "num_images", "release"]
"""Checked, and of no use to a monitor."""

_SAME = ["outcome", "reason", "predicted", "confidence"]
"""What two decisions on one study at one time must share to be one."""


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


def read_decisions(paths: Sequence[Path], *, release: str, classes: Sequence[str]) -> pd.DataFrame:
    """Return all decisions in the order of their times, each study once with its last.

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
        The keys of `Line` but for `UNUSED`, times without their zone, which is UTC; and a column
        ``probability_CLASS`` for each class in the place of ``probabilities``, NaN where there is
        none.

    Raises
    ------
    InputError
        Naming the file and line that is no such decision, of another release or class, or earlier
        than one before it; or if a study was decided in two ways at one time.
    """
    tables = []
    for path in paths:
        with located(path):
            table = _table(path, classes)
            _require_sound(table, path, release, classes)
            tables.append(table.drop(columns=UNUSED))
    log = pd.concat(tables, ignore_index=True)
    log["decided_at"] = log["decided_at"].str[:19]
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
        with path.open("rb") as start:
            blank = not start.read(MAX_LINE).strip()
        if blank:
            message = "at least one decision expected, got none"
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
    columns |= {f"{PROBABILITY}{name}": part for name, part in zip(classes, parts, strict=True)}
    return pa.table(columns).to_pandas()


def _require_sound(table: pd.DataFrame, path: Path, release: str, classes: Sequence[str]) -> None:
    """Raise `InputError` for the first line that cannot be believed."""
    probabilities = table[[f"{PROBABILITY}{name}" for name in classes]]
    if not _has_the_form(table, probabilities):
        _name_fault(path, classes)
    complete = table["confidence"].notna() & probabilities.notna().all(axis=1)
    known = table["predicted"].isin(classes)
    times = pd.to_datetime(table["decided_at"].str[:19], format=TIME_FORMAT, errors="coerce")
    faults = {
        "the release named expected, got another's: keep a log for each": table["release"]
        != release,
        "a class of the release expected": ~known & (table["predicted"] != ""),
        "a class, its confidence and the probability of each class expected": ~(known & complete)
        & table["reason"].isin(("", "not confident")),
        "a reason expected for each referral, and for no answer": (table["outcome"] == "answered")
        != (table["reason"] == ""),
        "a time expected that a clock can show": times.isna(),
        "decisions in the order of their times expected, got an earlier one": times.cummax() - times
        > CLOCK,
    }
    for fault, where in faults.items():
        if where.any():
            message = f"line {np.flatnonzero(where)[0] + 1}: {fault}"
            raise InputError(message)


def _has_the_form(table: pd.DataFrame, probabilities: pd.DataFrame) -> bool:
    """Return whether each value is one that `Line` allows."""
    shares = probabilities.assign(confidence=table["confidence"])
    texts = table.drop(columns=["threshold", *shares.columns])
    return bool(
        texts.notna().all(axis=None)
        and (shares.isna() | ((shares >= 0) & (shares <= 1))).all(axis=None)
        and table["outcome"].isin(OUTCOMES).all()
        and table["reason"].isin((*MODEL_REASONS, *OTHER_REASONS)).all()
        and table["decided_at"].str.fullmatch(TIME).all()
        and (table[["patient", "study"]] != "").all(axis=None)
    )


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
    fault = error.errors(include_input=False)[0]
    key = str(fault["loc"][0]) if fault["loc"] else ""
    return f"key '{key}': {fault['msg']}" if key in Line.__annotations__ else "an unknown key"


def _each_study_once(log: pd.DataFrame) -> pd.DataFrame:
    """Return the decision on each study that stands: the last, where images came in later.

    The same one may stand in several files.
    """
    study = ["patient", "study"]
    if not log.duplicated(study).any():
        return log
    distinct = log.drop_duplicates([*study, "decided_at", *_SAME])
    at_once = distinct.duplicated([*study, "decided_at"])
    if at_once.any():
        message = (
            "one decision on a study at a time expected, got two that contradict, at "
            f"{distinct.loc[at_once, 'decided_at'].iloc[0]}"
        )
        raise InputError(message)
    return distinct.drop_duplicates(study, keep="last", ignore_index=True)
