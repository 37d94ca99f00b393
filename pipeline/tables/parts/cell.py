"""A table as a page shows it, beside the numbers it was made from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One cell: its text, a smaller second line, and its mark: ``best``, ``tied`` or none."""

    text: str
    detail: str = ""
    mark: str = ""
