"""Columns of an operating point: what was found, and how many it answers and refers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.tables.parts.column import count, share, text
from pipeline.tables.parts.shown import Cell
from pipeline.tables.parts.wording import missing, percent, threshold_text


def _verdict(row: Mapping[str, Any]) -> Cell:
    limit = row["lowest_upper_limit"]
    hidden = row["status"] == "found" or missing(limit)
    return Cell(row["words"], "" if hidden else f"lowest upper limit {percent(limit)}")


def _counted(row: Mapping[str, Any], name: str) -> Cell:
    """Return a count with its share, which says nothing where no threshold was found."""
    share_of_all = percent(row[name] / row["num_test"]) if row["status"] == "found" else ""
    return Cell(f"{row[name]:,}", share_of_all)


POINT_COLUMNS = (
    text("words", "Verdict", write=_verdict),
    share("threshold", "Confidence from", write=lambda row: threshold_text(row["threshold"])),
    count("answered", "Answered", write=lambda row: _counted(row, "answered")),
    count("referred", "Referred", write=lambda row: _counted(row, "referred")),
)
"""Of rows with a verdict in ``words``."""
