"""A table's columns: what each holds, what it is called on a page, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.tables.parts.shown import Cell, Heading
from pipeline.tables.parts.wording import metric_name, target_text

Kind = Literal["text", "count", "number", "share", "points", "flag"]
"""How a value is read from a file and written on a page.

``text``; ``count``, a whole number; ``number``, with `digits` decimals; ``share``, in [0, 1],
written in percent; ``points``, a difference of shares, written in percentage points with its sign;
``flag``, true or false.
"""

Disclosure = Literal["open", "count", "rate"]
"""What disclosure control does with a value of few patients.

``open`` values are always written; a ``count`` is left out of masked rows, a ``rate`` of those as
well that are shown as counts alone.
"""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        In the frame and in its file.
    kind : Kind
    label : str
        Heading on a page; a column without one is in the files alone.
    unit : str
        The line beneath the heading.
    digits : int
        Decimals.
    factor : float
        What a number is multiplied by before it is written.
    of, sd : str
        Columns of the total that a count is of, and of a value's standard deviation: written
        behind it.
    rate : str
        Column of the share that a count makes, written beneath it.
    ends : pair of str, optional
        Columns that hold the ends of the interval of the value or of its rate, written beneath.
    mark : str
        Column that holds the mark of a cell.
    disclosure : Disclosure
    key : bool
        Whether it says which row it is.
    meaning : str
        One sentence, shown when the heading is pointed at.
    write : callable, optional
        From a row to its cell, or to its text, where the kind does not say how it is written.
    """

    name: str
    kind: Kind
    label: str = ""
    unit: str = ""
    digits: int = 1
    factor: float = 1.0
    of: str = ""
    sd: str = ""
    rate: str = ""
    ends: tuple[str, str] | None = None
    mark: str = ""
    disclosure: Disclosure = "open"
    key: bool = False
    meaning: str = ""
    write: Callable[[Mapping[str, Any]], Cell | str] | None = None

    @property
    def heading(self) -> Heading:
        """The head of the column on a page."""
        numeric = self.kind not in ("text", "flag")
        return Heading(self.label, self.unit, self.meaning, numeric)

    def shown_as(self, label: str, **about: Any) -> Column:
        """Return the same column with another heading, unit or way of writing."""
        return replace(self, label=label, **about)


@dataclass(frozen=True)
class Across:
    """Columns side by side, one a value of a column of a long frame.

    Attributes
    ----------
    by : str
        The column of the frame.
    values : sequence
        Those of its values that are shown, in order.
    column : callable
        From a value to the column that writes the rows that have it.
    """

    by: str
    values: Sequence[Any]
    column: Callable[[Any], Column]


def text(name: str, label: str = "", **about: Any) -> Column:
    """Return a column of words."""
    return Column(name, "text", label, **about)


def count(name: str, label: str = "", **about: Any) -> Column:
    """Return a column of whole numbers."""
    return Column(name, "count", label, **about)


def number(name: str, label: str = "", **about: Any) -> Column:
    """Return a column of numbers."""
    return Column(name, "number", label, **about)


def share(name: str, label: str = "", **about: Any) -> Column:
    """Return a column of shares in [0, 1]."""
    return Column(name, "share", label, **about)


def points(name: str, label: str = "", **about: Any) -> Column:
    """Return a column of differences of shares, in [-1, 1]."""
    return Column(name, "points", label, **about)


def flag(name: str, label: str = "", **about: Any) -> Column:
    """Return a column of true and false."""
    return Column(name, "flag", label, **about)


def metric(key: str, name: str = "", **about: Any) -> Column:
    """Return a column of a metric's values, of its own name unless another is given."""
    known = metric_name(key)
    shown = {"label": known.label, "unit": known.unit, "meaning": known.meaning} | about
    return Column(name or key, "number", digits=known.digits, factor=known.factor, **shown)


LOSS = text("loss", "Loss", key=True)
CALIBRATOR = text("calibrator", "Calibrator", key=True)
SEED = count("seed", "Seed", key=True)
TARGET = share(
    "target",
    "Target",
    unit="of the answered",
    key=True,
    write=lambda row: target_text(row["target"]),
)
CLASS = text("class", "Class", key=True)
METRIC = text("metric", "Metric", key=True)
SCORE = text("score", "Score", key=True, write=lambda row: row["score"].replace("_", " "))
COLUMN = text("column", "By", key=True, write=lambda row: row["column"].replace("_", " "))
GROUP = text("group", "Group", key=True)
QUANTITY = text("quantity", key=True)
POLICY = text("policy", "Policy", key=True)
PARTNER = text("partner", "Partner", key=True)
KIND = text("kind", key=True)
RULE = text("rule", key=True)
