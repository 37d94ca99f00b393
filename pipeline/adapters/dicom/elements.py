"""Read single elements of a header: what is absent is one thing, what cannot be used another.

An element that is absent or empty reads as None or as nothing. One that is present but cannot be
parsed, or is out of its range, is refused: a default in its place would be a wrong value unseen.
"""

from __future__ import annotations

import math
from typing import Any

from pydicom import Dataset, Sequence
from pydicom.multival import MultiValue

from pipeline.adapters.dicom.opening import DAMAGE
from pipeline.adapters.refused import Refused


def unusable(*, keyword: str, expected: str) -> Refused:
    """Return the refusal of a file for one element that is present but cannot be used."""
    advice = f"expected {expected} there: correct its header or take it out"
    return Refused(reason=f"unusable {keyword}", advice=advice)


def element(dataset: Dataset, keyword: str) -> Any:
    """Return an element's value, or None where it is absent; `Refused` if it cannot be parsed."""
    try:
        return dataset.get(keyword)
    except DAMAGE as error:
        raise unusable(keyword=keyword, expected="a value that can be read") from error


def items(dataset: Dataset, keyword: str) -> Sequence:
    """Return a sequence's items, none where it is absent; `Refused` if it is no sequence."""
    value = element(dataset, keyword)
    if value is None:
        return Sequence()
    if not isinstance(value, Sequence):
        raise unusable(keyword=keyword, expected="a sequence")
    # Not as a list: whoever asks for one item of each of 60,000 frames would copy all of them.
    return value


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """Return an element's values as text, empty ones left out."""
    return [text for text in _components(dataset, keyword) if text]


def text(dataset: Dataset, keyword: str) -> str:
    """Return an element's first value as text, or the empty string."""
    return next(iter(texts(dataset, keyword)), "")


def numbers(dataset: Dataset, keyword: str, count: int | None = None) -> tuple[float, ...]:
    """Return an element's values, an empty tuple where it is absent.

    Raises `Refused` if they are not all finite numbers, or not so many as `count`.
    """
    stated = _components(dataset, keyword)
    if not any(stated):
        return ()
    try:
        values = tuple(map(float, stated))
    except ValueError:
        values = (math.nan,)
    if not all(map(math.isfinite, values)) or len(values) != (count or len(values)):
        many = "finite numbers" if count is None else f"{count} finite numbers"
        raise unusable(keyword=keyword, expected="a finite number" if count == 1 else many)
    return values


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return an element's one value, None where it is absent; `Refused` if it is no number."""
    return next(iter(numbers(dataset, keyword, 1)), None)


def whole(dataset: Dataset, keyword: str) -> int | None:
    """Return an element's one value, None where it is absent; `Refused` if it is not whole."""
    value = number(dataset, keyword)
    if value is not None and value != int(value):
        raise unusable(keyword=keyword, expected="a whole number")
    return None if value is None else int(value)


def macro(dataset: Dataset, frame: int, sequence: str) -> Dataset:
    """Return what applies to a frame: its own functional group, the shared one, or the data set.

    Enhanced objects keep geometry, rescale and window in functional groups (DICOM PS3.3 C.7.6.16);
    all others keep them at the top level.
    """
    for groups, number in (
        ("PerFrameFunctionalGroupsSequence", frame),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        found = items(dataset, groups)
        if number < len(found) and (inner := items(found[number], sequence)):
            return inner[0]
    return dataset


def _components(dataset: Dataset, keyword: str) -> list[str]:
    value = element(dataset, keyword)
    values = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
    return ["" if each is None else str(each).strip() for each in values]
