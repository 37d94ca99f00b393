"""A CSV table that somebody brings, read to the letter: never bent into shape, never quoted.

A reader that passes over a stray quote, or takes the first cells of long rows for an index, shifts
columns without a word. So every row has as many cells as the header, and a quote is where it may
be. A message says which row and what was expected: what stands in a table may name a patient.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.config.reading import read_text
from pipeline.errors import InputError, located

MAX_BYTES = 2_000_000_000
MAX_COLUMNS = 10_000
MAX_LINE = 1_000_000
"""Characters: a hundred for each of ten thousand columns."""
MAX_CELL = 100_000
"""Characters: three times what a spreadsheet holds."""

SEPARATORS = ",;\t"
"""What may part the cells, the likeliest first: spreadsheets write semicolons where numbers have
decimal commas."""

_SOUND = {
    each: re.compile(rf'(?:[^"{each}]*|"(?:[^"]|"")*")(?:{each}(?:[^"{each}]*|"(?:[^"]|"")*"))*')
    for each in SEPARATORS
}
"""Cells that are quoted as a whole, or hold no quote."""

_QUOTED = re.compile(r'"[^"]*"')

_HEADER = "the header"


def read_csv(path: Path, *, breaks: bool = False) -> dict[str, list[str]]:
    """Return a table's columns as text, by their names; columns without a name are left out.

    Raises `InputError` if it is anything else; the message names the file and the first row that is
    too long or too short, or has a quote out of place, and quotes nothing.

    Parameters
    ----------
    path : Path
        A table in UTF-8, its cells parted by one of `SEPARATORS`: a line of names, and a line a
        row.
    breaks : bool
        Whether a quoted cell, such as a report, may go on in the next line.
    """
    return read_separated(path, breaks=breaks)[0]


def read_separated(path: Path, *, breaks: bool = False) -> tuple[dict[str, list[str]], str]:
    """Return what `read_csv` does, and what parts the cells."""
    text = read_text(path, max_bytes=MAX_BYTES)
    with located(path):
        header, *lines = _lines(text)
        separator = separator_of(header, lines[0] if lines else header)
        names = _cells(header, _HEADER, separator)
        _require_names(names)
        rows = _joined(lines, len(names), separator) if breaks and '"' in text else lines
        cells = [_row(row, number, names, separator) for number, row in enumerate(rows, start=1)]
    columns = {name: [row[place] for row in cells] for place, name in enumerate(names) if name}
    return columns, separator


def separator_of(header: str, row: str) -> str:
    """Return what parts the cells: the first that gives a row as many as the header, if any does.

    >>> separator_of("logit_a;logit_b;label", "0,5;1,5;a")
    ';'
    >>> separator_of("case,finding; side,label", "1,mass,a")
    ','
    """
    # A header that would be too long is refused as such, not looked through.
    header, row = _QUOTED.sub("", header[:MAX_LINE]), _QUOTED.sub("", row[:MAX_LINE])
    found = [each for each in SEPARATORS if each in header]
    fitting = [each for each in found if header.count(each) == row.count(each)]
    return (fitting or found or [SEPARATORS[0]])[0]


def absent_column(path: Path, name: str, num_columns: int) -> str:
    """Return what to say of a column that a table lacks.

    >>> absent_column(Path("labels.csv"), "label", 4)
    "column 'label' expected, got 4 others: is the header missing, or the separator no comma,
    semicolon or tab?"
    """
    return f"column '{name}' expected, got {other_columns(path, num_columns)}"


def other_columns(path: Path, num_columns: int) -> str:
    """Return what to say of the columns that a table has: no name of theirs.

    Without a header its first row stands in the place of the names.

    >>> other_columns(Path("labels.parquet"), 1)
    'another alone'
    """
    question = ": is the header missing, or the separator no comma, semicolon or tab?"
    hint = question if path.suffix.lower() == ".csv" else ""
    return f"another alone{hint}" if num_columns == 1 else f"{num_columns} others{hint}"


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    if not lines[0]:
        message = "a line of column names expected, got an empty one"
        raise InputError(message)
    return lines


def _joined(lines: Iterable[str], num_columns: int, separator: str) -> list[str]:
    """Return rows: a line, or several where a quoted cell goes on.

    A line within a cell that could be a row of its own is not taken for a part of the cell: a quote
    out of place would swallow patients.
    """
    rows: list[str] = []
    for line in lines:
        goes_on = bool(rows) and rows[-1].count('"') % 2 == 1
        if goes_on and line.count(separator) < num_columns - 1 and len(rows[-1]) <= MAX_LINE:
            rows[-1] += f"\n{line}"
        else:
            rows.append(line)
    return rows


def _row(line: str, number: int, names: list[str], separator: str) -> list[str]:
    place = f"row {number} below the header"
    cells = _cells(line, place, separator)
    if len(cells) != len(names):
        message = f"{place}: {len(names)} cells expected, as the header has, got {len(cells)}"
        raise InputError(message)
    return cells


def _cells(line: str, place: str, separator: str) -> list[str]:
    """Return the cells of one line; `InputError` if it has others than text should have."""
    if len(line) > MAX_LINE:
        message = f"{place}: at most {MAX_LINE:,} characters expected, got {len(line):,}"
        raise InputError(message)
    if "\0" in line or "\ufeff" in line:
        message = f"{place}: text expected, got a zero byte or the mark that begins a file"
        raise InputError(message)
    if '"' in line and not _SOUND[separator].fullmatch(line):
        message = f"{place}: quotes expected around whole cells, and doubled within them"
        raise InputError(message)
    quoted = '"' in line
    cells = next(csv.reader([line], delimiter=separator)) if quoted else line.split(separator)
    if len(cells) > MAX_COLUMNS:
        message = f"{place}: at most {MAX_COLUMNS:,} cells expected, got {len(cells):,}"
        raise InputError(message)
    if len(line) > MAX_CELL and max(len(cell) for cell in cells) > MAX_CELL:
        message = f"{place}: at most {MAX_CELL:,} characters in a cell expected"
        raise InputError(message)
    return cells


def _require_names(names: list[str]) -> None:
    """Raise `InputError` if two columns have one name: which is meant nobody could say."""
    places: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        if name and name in places:
            message = (
                f"{_HEADER}: names that differ expected, got one twice, in columns "
                f"{places[name]} and {place}: is the header missing?"
            )
            raise InputError(message)
        places[name] = place
