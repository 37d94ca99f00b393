"""What was left out, and why: listed, counted, and never more than the data set allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.adapters import Quarantined
from pipeline.config import Dataset
from pipeline.errors import InputError


def write_quarantine(quarantined: Sequence[Quarantined], path: Path) -> None:
    """Write one row a file: which, the reason, and what its owner can do about it."""
    rows = [(each.source, each.reason, each.advice) for each in quarantined]
    pd.DataFrame(rows, columns=["file", "reason", "advice"]).to_csv(path, index=False)


def count_reasons(quarantined: Sequence[Quarantined]) -> dict[str, int]:
    """Return how many were left out for each reason, most frequent first.

    >>> count_reasons([Quarantined("a", "no label", ""), Quarantined("b", "no label", "")])
    {'no label': 2}
    """
    return dict(Counter(each.reason for each in quarantined).most_common())


def summarise(num_read: int, quarantined: Sequence[Quarantined]) -> str:
    """Return the sentence that a run prints.

    >>> summarise(3, [])
    '3 cases read, 0 quarantined'
    """
    counted = f"{num_read} cases read, {len(quarantined)} quarantined"
    reasons = [f"{count} {reason}" for reason, count in count_reasons(quarantined).items()]
    return f"{counted}: {', '.join(reasons)}" if reasons else counted


def require_few_quarantined(
    num_read: int, quarantined: Sequence[Quarantined], dataset: Dataset
) -> None:
    """Raise `InputError` where more was left out than `max_quarantined_share` allows."""
    total = num_read + len(quarantined)
    if len(quarantined) <= dataset.max_quarantined_share * total:
        return
    first = quarantined[0]
    message = (
        f"{summarise(num_read, quarantined)}: more than max_quarantined_share "
        f"{dataset.max_quarantined_share:g} allows; first: {first.source}: {first.reason} "
        f"({first.advice})"
    )
    raise InputError(message)
