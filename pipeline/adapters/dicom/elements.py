"""Read single elements of a header whose values may be damaged: what is unusable is absent."""

from __future__ import annotations

import math
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue

from pipeline.adapters.dicom.opening import DAMAGE


def element(dataset: Dataset, keyword: str) -> Any:
    """Return an element's value, or None where it is absent or cannot be parsed."""
    try:
        return dataset.get(keyword)
    except DAMAGE:
        return None


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """Return an element's values as text, empty ones left out."""
    value = element(dataset, keyword)
    values = list(value) if isinstance(value, MultiValue | list) else [value]
    return [text for each in values if each is not None and (text := str(each).strip())]


def text(dataset: Dataset, keyword: str) -> str:
    """Return an element's first value as text, or the empty string."""
    return next(iter(texts(dataset, keyword)), "")


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...]:
    """Return an element's values if they are so many finite numbers, else an empty tuple."""
    try:
        values = tuple(float(each) for each in texts(dataset, keyword))
    except ValueError:
        return ()
    return values if len(values) == count and all(map(math.isfinite, values)) else ()


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return an element's first value if it is a finite number, else None."""
    try:
        value = float(text(dataset, keyword))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def whole(dataset: Dataset, keyword: str) -> int | None:
    """Return an element's first value as an integer, or None where it is none."""
    value = number(dataset, keyword)
    return int(value) if value is not None and value == int(value) else None


def macro(dataset: Dataset, frame: int, sequence: str) -> Dataset:
    """Return what applies to a frame: its own functional group, the shared one, or the data set.

    Enhanced objects keep geometry, rescale and window in functional groups (DICOM PS3.3 C.7.6.16);
    all others keep them at the top level.
    """
    for groups, item in (
        ("PerFrameFunctionalGroupsSequence", frame),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        try:
            return dataset[groups][item][sequence][0]
        except DAMAGE:
            continue
    return dataset
