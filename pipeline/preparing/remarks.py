"""What a prepared data set is not quite as somebody may take it for, said while it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.config import Dataset


def remarks_on(card: Mapping[str, Any], dataset: Dataset) -> Iterator[str]:
    """Yield what a run prints of a card: patients that are not named, numbers other than stated."""
    if "unnamed_patients" in card:
        yield unnamed_text(card)
    counts = {split: sum(by_class.values()) for split, by_class in card["counts"].items()}
    for split, expected in dataset.expected_cases.items():
        if counts.get(split, 0) != expected:
            yield f"'expected_cases' states {expected} for {split}, got {counts.get(split, 0)}"


def unnamed_text(card: Mapping[str, Any]) -> str:
    """Say how many cases name no patient, and what is counted as one instead.

    >>> unnamed_text({"unnamed_patients": {"image": 3}, "counts": {"test": {"ill": 3}}})
    'no case names its patient: every image counts as a patient of its own'
    >>> unnamed_text({"unnamed_patients": {"study": 2}, "counts": {"test": {"ill": 3}}})
    '2 of 3 cases name no patient: the study of 2 counts as one'
    """
    unnamed = card["unnamed_patients"]
    total = sum(sum(by_class.values()) for by_class in card["counts"].values())
    if len(unnamed) == 1 and sum(unnamed.values()) == total:
        return (
            f"no case names its patient: every {next(iter(unnamed))} counts as a patient of its own"
        )
    parts = ", ".join(f"the {kind} of {number}" for kind, number in unnamed.items())
    return f"{sum(unnamed.values())} of {total} cases name no patient: {parts} counts as one"
