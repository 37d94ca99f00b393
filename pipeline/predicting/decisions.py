"""What a release says of one patient's study: an answer, or why a reader is asked instead."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config.reading import read_text
from pipeline.errors import InputError, located
from pipeline.outgoing_text import csv_text

ANSWERED, REFERRED = "answered", "referred"
REASONS = (
    "not confident", "out of scope", "unreadable", "missing image", "outside limits",
    "no guarantee",
)  # fmt: skip
"""Why a study is referred, as they are counted on a page and in a summary."""

MAX_BYTES = 2**31
"""Of a log that is read: some four million decisions."""


@dataclass(frozen=True)
class Decision:
    """One patient and study.

    Attributes
    ----------
    patient, study : str
        Keyed hashes of the patient's ID and the study's UID; of the file's name where it has none.
    outcome : {"answered", "referred"}
    reason : str
        Empty where answered, else one of `REASONS`.
    detail : str
        One plain sentence that names nobody.
    predicted : str
        The class answered, or that would have been; empty where no image could be read.
    probabilities : dict of str to float
        Calibrated, by class, of the image that decides; empty where no image could be read.
    confidence, threshold : float or None
        The lowest confidence among the patient's images, and what it is held against; None where
        there is none.
    site : str
        As the release names it, a keyed hash where it does not; empty where nothing is recorded.
    num_images : int
        How many images were read.
    decided_at : str
        UTC in ISO 8601, to the second.
    release : str
        SHA-256 of the release's SHA256SUMS.
    """

    patient: str
    study: str
    outcome: str
    reason: str
    detail: str
    predicted: str
    probabilities: dict[str, float]
    confidence: float | None
    threshold: float | None
    site: str
    num_images: int
    decided_at: str
    release: str

    def __post_init__(self) -> None:
        """Raise `InputError` unless a referral has a known reason, and an answer none."""
        known = ("",) if self.outcome == ANSWERED else REASONS
        if self.outcome not in (ANSWERED, REFERRED) or self.reason not in known:
            message = (
                f"answered, or referred for one of {', '.join(REASONS)} expected, "
                f"got {self.outcome!r} and {self.reason!r}"
            )
            raise InputError(message)


def decision_line(decision: Decision) -> str:
    """Return a decision as one line of JSON, as logs have it."""
    return json.dumps(asdict(decision), ensure_ascii=False, allow_nan=False) + "\n"


def write_decisions(decisions: Iterable[Decision], folder: Path) -> None:
    """Write ``decisions.jsonl``, and ``decisions.csv`` with a column a class for spreadsheets."""
    decisions = list(decisions)
    lines = "".join(map(decision_line, decisions))
    (folder / "decisions.jsonl").write_text(lines, encoding="utf-8")
    (folder / "decisions.csv").write_text(csv_text(_table(decisions)), encoding="utf-8")


def read_decisions(path: Path) -> list[Decision]:
    """Return the decisions of a log; `InputError` names the line that holds none."""
    text = read_text(path, max_bytes=MAX_BYTES)
    decisions = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line:
            with located(f"{path}, line {number}"):
                decisions.append(_decision(line))
    return decisions


def _decision(line: str) -> Decision:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as error:
        message = "a decision as one line of JSON expected"
        raise InputError(message) from error
    names = {field.name for field in fields(Decision)}
    if not isinstance(content, dict) or set(content) != names:
        message = f"a decision expected, with {', '.join(sorted(names))}"
        raise InputError(message)
    return Decision(**content)


def _table(decisions: list[Decision]) -> pd.DataFrame:
    return pd.DataFrame(map(_row, decisions), columns=_columns(decisions))


def _columns(decisions: list[Decision]) -> list[str]:
    classes = dict.fromkeys(name for each in decisions for name in each.probabilities)
    names = [field.name for field in fields(Decision)]
    place = names.index("probabilities")
    return [*names[:place], *map(_column, classes), *names[place + 1 :]]


def _row(decision: Decision) -> dict[str, Any]:
    row = asdict(decision)
    return row | {_column(name): share for name, share in row.pop("probabilities").items()}


def _column(name: str) -> str:
    return f"probability_{name}"
