"""One renderer for every table: a frame and its columns become the cells of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

import pandas as pd

from pipeline.tables.parts.column import Column
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.wording import MASKED, interval, missing, percent, signed

NOTHING = Cell("–")
"""An undefined value."""


def rendered(
    name: str,
    caption: str,
    columns: Iterable[Column],
    frame: pd.DataFrame,
    *,
    behind: pd.DataFrame | None = None,
    marked: Callable[[Mapping[str, Any]], bool] | None = None,
) -> Table:
    """Return a table to show: one row a row of the frame, one cell a column with a heading.

    Parameters
    ----------
    name, caption : str
    columns : iterable of Column
        Those without a label are left out; the keys among the first name the row.
    frame : DataFrame
        As disclosure control left it: a count that is not there is masked, and with it its row.
    behind : DataFrame, optional
        The numbers handed out beside the table; the frame itself unless given.
    marked : callable, optional
        Whether a row is set apart.
    """
    shown = tuple(column for column in columns if column.label)
    names = [str(name) for name in frame.columns]
    records = [
        dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)
    ]
    return Table(
        name=name,
        caption=caption,
        columns=tuple(column.heading for column in shown),
        rows=tuple(_cells(shown, record) for record in records),
        frame=frame if behind is None else behind,
        headings=max(1, len(list(takewhile(lambda column: column.key, shown)))),
        marked=frozenset(
            place for place, record in enumerate(records) if marked is not None and marked(record)
        ),
    )


def _cells(columns: Sequence[Column], record: Mapping[str, Any]) -> tuple[Cell, ...]:
    masked = any(
        column.disclosure == "count" and missing(record[column.name]) for column in columns
    )
    return tuple(
        Cell(MASKED) if masked and column.disclosure != "open" else cell(column, record)
        for column in columns
    )


def cell(column: Column, record: Mapping[str, Any]) -> Cell:
    """Return one value as its column writes it, its interval beneath."""
    if column.write is not None:
        return column.write(record)
    value = record[column.name]
    if column.kind != "text" and missing(value):
        return NOTHING
    ends = [record[end] for end in column.ends or ()]
    detail = "" if not ends or any(missing(end) for end in ends) else span(column, *ends)
    return Cell(written(column, value), detail)


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
            return f"{value:,.{column.digits}f}".replace("-", "−")
        case "flag":
            return "yes" if value else "no"
    return str(value)


def span(column: Column, lower: float, upper: float) -> str:
    """Return the ends of an interval as text.

    >>> from pipeline.tables.parts.column import points, share
    >>> span(share("risk"), 0.007, 0.035), span(points("gap"), -0.031, 0.002)
    ('0.7–3.5%', '−3.1 to +0.2')
    """
    if column.kind == "share":
        return interval(lower, upper, column.digits)
    word = " to " if column.kind == "points" else "–"
    return f"{written(column, lower)}{word}{written(column, upper)}"
