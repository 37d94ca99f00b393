"""Text that leaves the house: without control characters, and no formula to a spreadsheet.

An escape byte in a site's name makes an SVG malformed and steers a terminal; a cell that begins
with an equals sign is computed by whoever opens the table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

UNSEEN = ("Cc", "Cs", "Cn")
"""Categories of characters that are no text: controls, halves of a pair, what is not assigned."""

TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows, so that it reads as something else."""

_FORMULA = re.compile(r"['\s]*[=+\-@]")
_PREFIXED = re.compile(r"'['\s]*[=+\-@]")


def printable(text: str) -> str:
    r"""Return a text without control characters; a tab or the end of a line becomes a space.

    >>> printable("ward\x1b[31m 3"), printable("two\nlines"), printable("a\ufffe")
    ('ward[31m 3', 'two lines', 'a')
    """
    if text.isprintable() and not TURNING & set(text):
        return text
    spaced = re.sub(r"\r\n|[\t\n\r]", " ", text)
    return "".join(
        each for each in spaced if unicodedata.category(each) not in UNSEEN and each not in TURNING
    )


def printable_record(record: Any) -> Any:
    """Return a record of our own, as JSON has it, with all its texts `printable`."""
    if isinstance(record, str):
        return printable(record)
    if isinstance(record, dict):
        return {printable_record(key): printable_record(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [printable_record(each) for each in record]
    return record


def printable_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with all its texts `printable`."""
    return _with_texts(table, printable)


def csv_text(table: pd.DataFrame) -> str:
    r"""Return a table as CSV, its texts no formula; an undefined value is an empty cell.

    A text that a spreadsheet would compute gets an apostrophe in front; numbers stay as they are.

    >>> csv_text(pd.DataFrame({"site": ["=1+1", "north"], "gap": [-0.5, 0.5]}))
    "site,gap\n'=1+1,-0.5\nnorth,0.5\n"
    """
    named = table.rename(columns=lambda name: _defused(str(name)))
    return _with_texts(named, _defused).to_csv(index=False, lineterminator="\n")


def from_csv(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table that was read from what `csv_text` wrote, its texts as they were."""
    return _with_texts(table, lambda text: text[1:] if _PREFIXED.match(text) else text)


def _defused(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would compute, or take for one of ours.

    >>> _defused("@sum"), _defused("-0.5"), _defused("'=x"), _defused("north")
    ("'@sum", '-0.5', "''=x", 'north')
    """
    return f"'{text}" if _FORMULA.match(text) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _with_texts(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    def changed(value: Any) -> Any:
        return change(value) if isinstance(value, str) else value

    texts = [
        place
        for place, kind in enumerate(table.dtypes)
        if isinstance(kind, pd.CategoricalDtype) or kind in ("object", "string", "str")
    ]
    if not texts:
        return table
    table = table.copy()
    for place in texts:
        column = table.iloc[:, place].astype(object)
        known = {value: changed(value) for value in column.dropna().unique()}
        if any(new != old for old, new in known.items()):
            values = [known.get(value, value) for value in column]
            table.isetitem(place, np.array(values, dtype=object))
    return table
