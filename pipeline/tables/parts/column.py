"""A table's columns: what each holds, what it is called on a page, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.tables.parts.shown import Cell, Heading

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
    ends : pair of str, optional
        Columns that hold the ends of the value's interval, written beneath it.
    disclosure : Disclosure
    key : bool
        Whether it says which row it is.
    meaning : str
        One sentence, shown when the heading is pointed at.
    write : callable, optional
        From a row to its cell, where the kind does not say how it is written.
    """

    name: str
    kind: Kind
    label: str = ""
    unit: str = ""
    digits: int = 1
    ends: tuple[str, str] | None = None
    disclosure: Disclosure = "open"
    key: bool = False
    meaning: str = ""
    write: Callable[[Mapping[str, Any]], Cell] | None = None

    @property
    def heading(self) -> Heading:
        """The head of the column on a page."""
        numeric = self.kind not in ("text", "flag")
        return Heading(self.label, self.unit, self.meaning, numeric)

    def shown_as(self, label: str, **about: Any) -> Column:
        """Return the same column with another heading, unit or way of writing."""
        return replace(self, label=label, **about)


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


LOSS = text("loss", "Loss", key=True)
CALIBRATOR = text("calibrator", "Calibrator", key=True)
SEED = count("seed", "Seed", key=True)
TARGET = share("target", "Target", unit="of the answered", key=True)
CLASS = text("class", "Class", key=True)
METRIC = text("metric", "Metric", key=True)
SCORE = text("score", "Score", key=True)
COLUMN = text("column", "By", key=True)
GROUP = text("group", "Group", key=True)
QUANTITY = text("quantity", key=True)
POLICY = text("policy", "Policy", key=True)
PARTNER = text("partner", "Partner", key=True)
KIND = text("kind", key=True)
RULE = text("rule", key=True)
