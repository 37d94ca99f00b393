"""What was left out, and why: listed, counted, and never more than the data set allows.

The list of a data set that was prepared lies with it; that of one that was refused for it lies in
data/quarantine, since nothing half prepared is kept.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from pipeline.adapters import Quarantined
from pipeline.adapters.identity import MASK, load_pseudonyms, trace_sources
from pipeline.config import Dataset, read_dataset
from pipeline.csv_table import read_csv
from pipeline.errors import InputError

_COLUMNS = ("file", "reason", "advice")

_MORE = " (and "
"""What follows the first of several files."""

_MASKED = re.compile(rf"{MASK}[0-9a-f]{{20}}(?:/{MASK}[0-9a-f]{{20}})*")
"""A path of which every part is masked."""


def write_quarantine(quarantined: Sequence[Quarantined], path: Path) -> None:
    """Write one row a file: which, the reason, and what its owner can do about it."""
    rows = [(each.source, each.reason, each.advice) for each in quarantined]
    pd.DataFrame(rows, columns=list(_COLUMNS)).to_csv(path, index=False)


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
    num_files_read: int, quarantined: Sequence[Quarantined], dataset: Dataset, listing: Path
) -> None:
    """Refuse a source of which nothing, or less than the data set allows, could be read.

    Files are held against files: a series of 20 that is left out weighs 20, a scout beside it 1.

    Raises `InputError` if no case was read, or more was left out than `max_quarantined_share`
    allows; all that was left out is then in `listing`, which is removed otherwise.
    """
    listing.unlink(missing_ok=True)
    num_left_out = sum(each.num_files for each in quarantined)
    total = num_files_read + num_left_out
    if num_files_read > 0 and num_left_out <= dataset.max_quarantined_share * total:
        return
    fault = "no case could be read"
    if num_files_read > 0:
        fault = f"more than max_quarantined_share {dataset.max_quarantined_share:g} allows"
    message = f"{num_left_out} of {total} quarantined: {fault}"
    if quarantined:
        listing.parent.mkdir(parents=True, exist_ok=True)
        write_quarantine(quarantined, listing)
        first = quarantined[0]
        message += f"; first: {first.source}: {first.reason} ({first.advice}); all: {listing}"
    raise InputError(message)


def listing_of(key: str, root: Path) -> Path:
    """Return where the quarantine of a refused data set is listed."""
    return root / "data" / "quarantine" / f"{key}.csv"


def reveal_quarantine(key: str, root: Path) -> Iterator[str]:
    """Yield a line for everything that a data set left out, with the real path of each file.

    Raises `InputError` if the data set was not prepared, or a file went missing since it was
    acquired.
    """
    dataset = read_dataset(root / "configs", key)
    refused, prepared = listing_of(key, root), root / "data/prepared" / key / "quarantine.csv"
    path = refused if refused.is_file() else prepared
    if not path.is_file():
        message = f"{path}: no such file: run prepare first"
        raise InputError(message)
    rows = read_csv(path, breaks=True)
    if absent := [name for name in _COLUMNS if name not in rows]:
        message = f"{path}: column '{absent[0]}' expected: run prepare again"
        raise InputError(message)
    names = [(name, *name.split(_MORE)[:1]) for name in rows["file"]]
    masks = [mask for advice in rows["advice"] for mask in _MASKED.findall(advice)]
    hidden = {name for _, name in names if _is_masked(name)} | set(masks)
    found: dict[str, str] = {}
    if hidden:
        found = _real_paths(Path(dataset.arguments["folder"]), hidden)
    for (name, first), reason, advice in zip(names, rows["reason"], rows["advice"], strict=True):
        shown = found.get(first, first) + name.removeprefix(first)
        told = _MASKED.sub(lambda match: found[match[0]], advice)
        yield f"{shown}: {reason} ({told})"


def _is_masked(name: str) -> bool:
    return any(part.startswith(MASK) for part in name.split("/"))


def _real_paths(folder: Path, hidden: Iterable[str]) -> dict[str, str]:
    """Return the path that each masked one stands for, also where it cannot be read."""
    found = trace_sources(folder, hidden, load_pseudonyms())
    for name, path in found.items():
        if not os.path.lexists(path):
            message = f"{name}: nothing like it below the data set's folder: run acquire again"
            raise InputError(message)
    return {name: str(path) for name, path in found.items()}
