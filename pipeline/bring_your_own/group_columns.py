"""Columns to break results down by: few levels as they stand, numbers in bands.

A level's name is printed. A column of as many levels as patients would print what is known of each
patient, so numbers become bands, and words of more than `MAX_LEVELS` are refused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float

from pipeline.bring_your_own.columns import ABSENT, Columns
from pipeline.errors import InputError
from pipeline.identifiers import cell_text
from pipeline.metrics.group_shares import group_names
from pipeline.metrics.groups import age_bands

AGE = "age"
"""A column of this name holds years and is read in the bands of `age_bands`."""

OLDEST = 130
"""Years."""

MAX_LEVELS = 20
"""Words of more levels are refused."""

MAX_NUMBERS = 10
"""Whole numbers of more values, and all numbers with decimals, are read in bands."""

LARGEST = 1e15
"""Of a number, whatever its sign."""

NUM_BANDS = 4

_UNKNOWN = tuple(each for each in ABSENT if each not in ("none", "na"))
"""Not those that may be the name of a level."""


def read_group(columns: Columns, name: str) -> tuple[str, np.ndarray]:
    """Return a column's name as it is shown, and each case's group.

    Raises `InputError`, naming the column, if it has several values a row, an age that nobody has,
    or words of more than `MAX_LEVELS`.
    """
    shown = name.strip().removeprefix("group_")
    if shown.casefold() == AGE:
        columns.one_axis(name)
        return "age_band", group_names(age_bands(_ages(columns, name)))
    values = columns.one_axis(name)
    text = pd.Series([cell_text(value) for value in values.tolist()], dtype=object).str.strip()
    numbers = pd.to_numeric(columns.with_points(text), errors="coerce").to_numpy(np.float64)
    known = ~(pd.isna(values) | text.str.casefold().isin(_UNKNOWN).to_numpy())
    usable = known & (np.abs(numbers) <= LARGEST)
    if known.any() and (usable == known).all():
        return shown, group_names(_banded(np.where(known, numbers, np.nan)))
    levels = text[known].nunique()
    if levels > MAX_LEVELS or (numbers[usable] != np.round(numbers[usable])).any():
        message = (
            f"{columns.path}: column '{name}': at most {MAX_LEVELS} names, or numbers alone, "
            f"expected, got {levels:,} values: they would be printed, and may tell patients apart"
        )
        raise InputError(message)
    return shown, group_names(text.mask(~known, None).to_numpy(dtype=object))


def _ages(columns: Columns, name: str) -> Float[np.ndarray, "cases"]:
    ages = columns.numbers(name)
    wrong = (ages < 0) | (ages > OLDEST)
    if wrong.any():
        message = (
            f"{columns.path}: column '{name}': years from 0 to {OLDEST} expected, got others in "
            f"{wrong.sum()} of {len(wrong)} rows"
        )
        raise InputError(message)
    return ages


def _banded(numbers: Float[np.ndarray, "cases"]) -> np.ndarray:
    known = np.unique(numbers[~np.isnan(numbers)])
    if len(known) <= MAX_NUMBERS and (known == np.round(known)).all():
        named = [None if np.isnan(each) else f"{each:.0f}" for each in numbers]
        return np.array(named, dtype=object)
    return np.array(number_bands(numbers), dtype=object)


def number_bands(numbers: Float[np.ndarray, "cases"]) -> list[str | None]:
    """Return the band of each number, None where it is NaN.

    Up to four bands of about equally many cases; their bounds are rounded to a power of ten below a
    quarter of the range, so that none is read off a patient.

    >>> number_bands(np.array([0.11, 0.37, 0.52, 0.98, np.nan]))
    ['below 0.3', '0.3 to below 0.4', '0.4 to below 0.6', '0.6 or more', None]
    """
    known = numbers[~np.isnan(numbers)]
    spread = np.ptp(known)
    decimals = -int(np.floor(np.log10(spread / NUM_BANDS))) if spread > 0 else 0
    quarters = np.quantile(known, np.arange(1, NUM_BANDS) / NUM_BANDS)
    bounds = np.unique(np.round(quarters, decimals) + 0.0)
    words = [f"{each:.{max(decimals, 0)}f}" for each in bounds]
    between = [f"{low} to below {high}" for low, high in zip(words, words[1:], strict=False)]
    names = [f"below {words[0]}", *between, f"{words[-1]} or more"]
    bands = np.digitize(numbers, bounds)
    return [
        None if np.isnan(each) else names[band] for each, band in zip(numbers, bands, strict=True)
    ]
