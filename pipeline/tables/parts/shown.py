"""A table as a page shows it, beside the numbers it was made from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Cell:
    """One cell: its text, a smaller second line, and its mark: ``best``, ``tied`` or none."""

    text: str
    detail: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Heading:
    """The head of one column: label, unit beneath it, meaning, and whether it holds numbers."""

    label: str
    unit: str = ""
    meaning: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """A table to show and the frame behind it.

    `headings` is how many cells at the start of a row name it; `marked` are rows to set apart.
    """

    name: str
    caption: str
    columns: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    frame: pd.DataFrame
    headings: int = 1
    marked: frozenset[int] = frozenset()
