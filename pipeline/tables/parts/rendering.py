"""One renderer for every table: a frame and its columns become the cells of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

import pandas as pd

from pipeline.tables.parts.column import Across, Column
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.wording import MASKED, interval, missing, percent, signed

Record = Mapping[str, Any]
"""A row of a frame, by column."""

NOTHING = Cell("–")
"""An undefined value."""


def rendered(
    name: str,
    caption: str,
    columns: Iterable[Column],
    frame: pd.DataFrame,
    *,
    across: Across | None = None,
    behind: pd.DataFrame | None = None,
    marked: Callable[[Record], bool] | None = None,
) -> Table:
    """Return a table to show: one cell a column with a heading, one row a row of the frame.

    Parameters
    ----------
    name, caption : str
    columns : iterable of Column
        Those without a label are left out; the keys among the first name the row.
    frame : DataFrame
        As disclosure control left it: where a row's first count is not there, the row is masked.
    across : Across, optional
        Further columns, of a long frame: all of its rows with the same keys make one row.
    behind : DataFrame, optional
        The numbers handed out beside the table; the frame itself unless given.
    marked : callable, optional
        Whether a row is set apart.
    """
    shown = tuple(column for column in columns if column.label)
    further = [across.column(value) for value in across.values] if across else []
    records = _records(frame)
    lines = _lines(shown, records, across)
    return Table(
        name=name,
        caption=" ".join(caption.split()),
        columns=tuple(column.heading for column in (*shown, *further)),
        rows=tuple(_cells(shown, further, line) for line in lines),
        frame=frame if behind is None else behind,
        headings=max(1, len(list(takewhile(lambda column: column.key, shown)))),
        marked=frozenset(
            place for place, (first, *_) in enumerate(lines) if marked is not None and marked(first)
        ),
    )


def _records(frame: pd.DataFrame) -> list[Record]:
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def _lines(
    columns: Sequence[Column], records: Sequence[Record], across: Across | None
) -> list[list[Record]]:
    """Return what each row is written from: its first record, then one a column across."""
    if across is None:
        return [[record] for record in records]
    keys = [column.name for column in columns if column.key]
    rows: dict[tuple[Any, ...], dict[Any, Record]] = {}
    for record in records:
        rows.setdefault(tuple(record[key] for key in keys), {})[record[across.by]] = record
    return [
        [next(iter(found.values())), *(found.get(value, {}) for value in across.values)]
        for found in rows.values()
    ]


def _cells(
    columns: Sequence[Column], further: Sequence[Column], line: Sequence[Record]
) -> tuple[Cell, ...]:
    first, *others = line
    counts = (column.name for column in columns if column.disclosure == "count")
    masked = missing(first.get(next(counts, ""), 0))
    pairs = [*((column, first) for column in columns), *zip(further, others, strict=True)]
    return tuple(
        Cell(MASKED) if masked and column.disclosure != "open" else cell(column, record)
        for column, record in pairs
    )


def cell(column: Column, record: Record) -> Cell:
    """Return one value as its column writes it; nothing of a row that is not there."""
    if not record:
        return NOTHING
    value = record.get(column.name)
    known = column.kind == "text" or not missing(value)
    if not known and (column.write is None or column.name in record):
        return Cell(MASKED) if column.disclosure == "count" else NOTHING
    if column.write is not None:
        found = column.write(record)
        return Cell(found) if isinstance(found, str) else found
    text = written(column, value)
    if column.of:
        text = f"{text} of {record[column.of]:,.0f}"
    if not missing(deviation := record.get(column.sd)):
        text = f"{text} ±\u2009{written(column, deviation)}"
    return Cell(text, _beneath(column, record), record[column.mark] if column.mark else "")


def _beneath(column: Column, record: Record) -> str:
    """Return the rate and the interval of a value, as far as they are there."""
    ends = [record[end] for end in column.ends or ()]
    span = "" if not ends or any(missing(end) for end in ends) else interval_of(column, *ends)
    if not column.rate:
        return span
    rate = "" if missing(record[column.rate]) else percent(record[column.rate])
    return f"{rate} ({span})".strip() if span else rate


def written(column: Column, value: Any) -> str:
    """Return a value as text.

    >>> from pipeline.tables.parts.column import count, number, points, share
    >>> written(share("risk", digits=2), 0.0725), written(points("gap"), -0.031)
    ('7.25%', '−3.1')
    >>> written(count("cases"), 1200.0), written(number("slope", digits=2), -0.5)
    ('1,200', '−0.50')
    """
    match column.kind:
        case "share":
            return percent(value, column.digits)
        case "points":
            return signed(100 * value)
        case "count":
            return f"{value:,.0f}"
        case "number":
            return f"{column.factor * value:,.{column.digits}f}".replace("-", "−")
        case "flag":
            return "yes" if value else "no"
    return str(value)


def interval_of(column: Column, lower: float, upper: float) -> str:
    """Return the ends of an interval as text.

    >>> from pipeline.tables.parts.column import points, share
    >>> interval_of(share("risk"), 0.007, 0.035), interval_of(points("gap"), -0.031, 0.002)
    ('0.7–3.5%', '−3.1 to +0.2')
    """
    if column.kind == "share" or column.rate:
        return interval(lower, upper, column.digits)
    # A dash between two signs cannot be read.
    word = " to " if column.kind == "points" or lower < 0 else "–"
    return f"{written(column, lower)}{word}{written(column, upper)}"
