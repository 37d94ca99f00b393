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

TIE = 1e-6
"""By which a confidence that was written may be below its threshold."""

SUM_TOLERANCE = 1e-3
"""By which the probabilities of all classes may differ from 1."""

MAX_LINE = 16_000_000
"""Bytes."""

UNUSED = ["detail", "threshold", "num_images", "release", "order"]
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
    """Return all decisions in the order they were made, each study once with its last.

    That is the order of each log's lines, even where a clock was set back, and between logs the
    order of times.

    Parameters
    ----------
    paths : sequence of Path
        Logs of one release, in any order; each is written in the order of time. What stands after
        the last end of a line and is no JSON is a line that is being written: it is left out.
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
        Naming the file and line that is no such decision or of another release or class; or if a
        study was decided in two ways at one time.
    """
    tables = []
    for path in paths:
        with located(path):
            table = _table(path, classes)
            _require_sound(table, path, release, classes)
            table["decided_at"] = table["decided_at"].str[:19]
            tables.append(table.assign(order=pd.to_datetime(table["decided_at"]).cummax()))
    log = pd.concat(tables, ignore_index=True)
    log = log.sort_values("order", kind="stable", ignore_index=True)
    return _each_study_once(log.drop(columns=UNUSED))


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
        whole = _whole_lines(path)
        if not whole.size:
            message = "at least one decision expected, got none"
            raise InputError(message)
        read = pyarrow.json.read_json(
            pa.BufferReader(whole),
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


def _whole_lines(path: Path) -> pa.Buffer:
    """Return a log without a last line that is being written; empty where no decision stands."""
    if not path.stat().st_size:
        return pa.py_buffer(b"")
    content = pa.memory_map(str(path)).read_buffer()
    start = max(len(content) - MAX_LINE, 0)
    tail = content[start:].to_pybytes()
    end = tail.rfind(b"\n") + 1
    try:
        json.loads(tail[end:])
    except (ValueError, RecursionError):
        content = content[: start + end]
    return content if content[:MAX_LINE].to_pybytes().strip() else pa.py_buffer(b"")


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
        "probabilities that sum to 1 expected": probabilities.notna().any(axis=1)
        & ((probabilities.sum(axis=1) - 1).abs() > SUM_TOLERANCE),
        "a referral expected where confidence is below the threshold, got an answer": (
            table["outcome"] == "answered"
        )
        & (table["confidence"] < table["threshold"] - TIE),
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
