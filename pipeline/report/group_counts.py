"""What each group of patients is answered at every threshold, small numbers kept from the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.metrics.group_shares import visibilities
from pipeline.report.scores import Scores, pick
from pipeline.report.wording import missing

COUNTS = ("answered", "wrong", "lower", "upper")


def group_counts(scores: Scores, thresholds: Sequence[float]) -> list[dict[str, Any]]:
    """Return each group's counts at every threshold, ready for JSON.

    A masked group has its ``label`` alone. Where fewer than 10 of a group are answered its numbers
    are None at that threshold, and so are those of the next smallest, from which and the total
    they could be worked out.
    """
    if scores.accepted_groups is None:
        return []
    rows = pick(scores.accepted_groups, **scores.headline)
    return [
        entry
        for column, kind in rows.groupby("column", sort=False)
        for entry in _entries(str(column), kind, thresholds)
    ]


def _entries(column: str, kind: pd.DataFrame, thresholds: Sequence[float]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(kind["group"]))
    tables = {name: pick(kind, group=name).set_index("threshold") for name in names}
    tables = {name: table.loc[list(thresholds)] for name, table in tables.items()}
    sizes = {name: int(table["patients"].iloc[0]) for name, table in tables.items()}
    shown = visibilities(sizes)
    answered = zip(*(tables[name]["answered"].astype(int) for name in names), strict=True)
    at_each = [visibilities(dict(zip(names, counts, strict=True))) for counts in answered]
    hidden = pd.DataFrame(at_each) == "masked"
    entries = []
    for name in names:
        entry: dict[str, Any] = {"label": f"{column.replace('_', ' ')}: {name}"}
        if shown[name] != "masked":
            counts = tables[name].reset_index(drop=True).mask(hidden[name])
            entry |= {"total": sizes[name]} | {key: _numbers(counts[key]) for key in COUNTS}
        entries.append(entry)
    return entries


def _numbers(values: pd.Series) -> list[float | None]:
    return [None if missing(value) else round(float(value), 6) for value in values]
