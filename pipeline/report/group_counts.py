"""What each group of patients is answered at every threshold, small numbers kept from the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.wording import missing

COUNTS = ("answered", "wrong", "lower", "upper")


def group_counts(scores: Scores, thresholds: Sequence[float]) -> list[dict[str, Any]]:
    """Return each group's counts at every threshold, ready for JSON.

    A masked group has its ``label`` alone. Where too few of a group are answered to be shown, its
    numbers are None at that threshold.
    """
    if scores.frame("accepted_groups").empty:
        return []
    rows = scores.shown("accepted_groups")
    return [
        entry
        for column, kind in rows.groupby("column", sort=False)
        for entry in _entries(str(column), kind, thresholds)
    ]


def _entries(column: str, kind: pd.DataFrame, thresholds: Sequence[float]) -> list[dict[str, Any]]:
    entries = []
    for name in dict.fromkeys(kind["group"]):
        table = pick(kind, group=name).set_index("threshold").loc[list(thresholds)]
        entry: dict[str, Any] = {"label": f"{column.replace('_', ' ')}: {name}"}
        patients = table["patients"].iloc[0]
        if not missing(patients):
            entry |= {"total": int(patients)} | {key: _numbers(table[key]) for key in COUNTS}
        entries.append(entry)
    return entries


def _numbers(values: pd.Series) -> list[float | None]:
    return [None if missing(value) else round(float(value), 6) for value in values]
