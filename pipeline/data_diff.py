"""What changed in the data between two versions: which cases, and in what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.errors import InputError
from pipeline.hashes import HASHES, require_intact

PREPARED = "data/prepared"
WORKSPACE = "workspace"
EXAMPLES = 10
_TOLD_APART = ("label", "class", "split", "pixel_sha256")
"""Columns whose changes have a name of their own; labels count by their classes."""
LABELS = {
    "group": "group to split by", "source": "source file", "source_sha256": "source file's hash",
    "spacing": "pixel spacing", "truth": "label probabilities",
}  # fmt: skip
"""What columns are called where their names do not say it."""
MAX_SHOWN = 40
"""Characters of a value: a hash is longer."""
_OF_THE_CASES = (
    "fingerprint", "counts", "patients", "sites", "spacing_mm", "simulated", "equal_pixels", "read",
    "left_out",
)  # fmt: skip
"""What a card says that follows from its cases, or from those that were set apart."""


@dataclass(frozen=True)
class DataDiff:
    """The changes from one version of a data set to another."""

    added: list[str]
    """Cases that only the new version has."""
    removed: list[str]
    """Cases that only the old version has."""
    relabelled: list[tuple[str, str, str]]
    moved: list[tuple[str, str, str]]
    """Case, old and new class; case, old and new split."""
    redrawn: list[str]
    """Cases that have other pixels."""
    altered: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """By column, such as site or age: case, old and new value. Columns that differ in nothing are
    left out."""

    def __bool__(self) -> bool:
        changes = (self.added, self.removed, self.relabelled, self.moved, self.redrawn)
        return any((*changes, self.altered))


def compare_cases(
    old: pd.DataFrame, new: pd.DataFrame, old_classes: Sequence[str], new_classes: Sequence[str]
) -> DataDiff:
    """Return what changed from the old table of cases to the new one.

    Cases are told apart by their key. Labels are compared by the names of their classes, so that a
    reordering of the classes is no change.

    Examples
    --------
    >>> columns = ["case", "label", "split", "pixel_sha256"]
    >>> old = pd.DataFrame([["a", 0, "train", "x"], ["b", 1, "test", "y"]], columns=columns)
    >>> new = pd.DataFrame([["b", 0, "test", "y"], ["c", 1, "val", "z"]], columns=columns)
    >>> diff = compare_cases(old, new, ["healthy", "ill"], ["healthy", "ill"])
    >>> diff.added, diff.removed, diff.relabelled
    (['c'], ['a'], [('b', 'ill', 'healthy')])
    """
    before, after = _named(old, old_classes), _named(new, new_classes)
    both = before.index.intersection(after.index, sort=False)
    was, now = before.loc[both], after.loc[both]
    return DataDiff(
        added=after.index.difference(before.index, sort=False).tolist(),
        removed=before.index.difference(after.index, sort=False).tolist(),
        relabelled=_changes(was["class"], now["class"]),
        moved=_changes(was["split"], now["split"]),
        redrawn=both[(was["pixel_sha256"] != now["pixel_sha256"]).to_numpy()].tolist(),
        altered={
            column: changes
            for column in was.columns
            if column in now.columns and column not in _TOLD_APART
            if (changes := _changes(was[column].map(_said), now[column].map(_said)))
        },
    )


def diff_lines(name: str, diff: DataDiff) -> Iterator[str]:
    """Yield the lines that say what changed: counts, the first cases, and the totals by change."""
    if not diff:
        yield f"{name}: no change"
        return
    altered = {LABELS.get(column, column): changes for column, changes in diff.altered.items()}
    others = "".join(f", {len(each)} with another {what}" for what, each in altered.items())
    yield (
        f"{name}: {len(diff.added)} added, {len(diff.removed)} removed, {len(diff.relabelled)} "
        f"relabelled, {len(diff.moved)} moved between splits, {len(diff.redrawn)} with other "
        f"pixels{others}"
    )
    for title, cases in (
        ("added", diff.added), ("removed", diff.removed), ("other pixels", diff.redrawn),
    ):  # fmt: skip
        yield from _listed(title, cases)
    told = {"relabelled": diff.relabelled, "moved": diff.moved} | altered
    for title, changes in told.items():
        yield from _listed(title, [_change(*each) for each in changes])


def diff_revisions(old: str, new: str, *, root: Path, dataset: str | None = None) -> Iterator[str]:
    """Yield what changed in the prepared data between two git revisions tracked by DVC.

    A revision is anything that git understands, or ``workspace`` for the files as they are now.
    Without a data set all that either has are compared.

    Raises `InputError` if a revision, or the data set in both, does not exist, DVC has not its data
    here, or they are damaged.
    """
    versions = [_Version(root, revision) for revision in (old, new)]
    names = sorted({*versions[0].names, *versions[1].names})
    if dataset is not None and dataset not in names:
        known = ", ".join(names) or "none"
        message = f"no prepared data set '{dataset}' at {old} or {new}, only: {known}"
        raise InputError(message)
    for name in names if dataset is None else [dataset]:
        (old_cases, old_card), (new_cases, new_card) = (each.read(name) for each in versions)
        if old_card and old_card == new_card:
            yield f"{name}: no change"
            continue
        classes = [card.get("classes", []) for card in (old_card, new_card)]
        yield from diff_lines(name, compare_cases(old_cases, new_cases, *classes))
        if old_card and new_card and (stated := _stated_otherwise(old_card, new_card)):
            yield f"  the card differs in: {', '.join(stated)}"


class _Version:
    """The prepared data of one revision, read through DVC."""

    def __init__(self, root: Path, revision: str) -> None:
        # Imported here: DVC takes a second to import, and only this command needs it.
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException

        self.revision = revision
        self._root = root
        try:
            rev = None if revision == WORKSPACE else revision
            self._files = DVCFileSystem(str(root), rev=rev)
            listed = self._files.ls(PREPARED) if self._files.isdir(PREPARED) else []
        except DvcException as error:
            message = f"revision '{revision}': {' '.join(str(error).split()):.200}"
            raise InputError(message) from error
        self.names = [Path(each["name"]).name for each in listed if each["type"] == "directory"]

    def read(self, name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Return a data set's table and card; both empty where the revision has it not."""
        if name not in self.names:
            return pd.DataFrame(columns=["case", "label", "split", "pixel_sha256"]), {}
        from dvc_data.index import DataIndexDirError

        here = self._root / PREPARED / name
        if self.revision == WORKSPACE and (here / HASHES).is_file():
            require_intact(here, stage=f"data@{name}")
        try:
            with self._files.open(f"{PREPARED}/{name}/cases.parquet", "rb") as file:
                cases = pd.read_parquet(file)
            with self._files.open(f"{PREPARED}/{name}/card.json", "rb") as file:
                return cases, dict(json.load(file))
        except (FileNotFoundError, DataIndexDirError) as error:
            message = f"{name} at '{self.revision}' is not in DVC's cache here: run dvc fetch"
            raise InputError(message) from error
        except (pa.ArrowException, OSError, TypeError, ValueError) as error:
            message = (
                f"{name} at '{self.revision}': a table of cases and a card expected, got damage"
            )
            raise InputError(message) from error


def _stated_otherwise(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return what two cards state otherwise that no table of cases tells."""
    keys = [key for key in {**old, **new} if key not in _OF_THE_CASES]
    return [key for key in keys if old.get(key) != new.get(key)]


def _said(value: Any) -> str:
    """Return a cell as it may be compared and read: lists by their numbers, nothing as a dash.

    >>> _said(np.array([0.25, 0.75])), _said(61.0), _said(None), _said(np.nan)
    ('[0.25, 0.75]', '61.0', '-', '-')
    """
    if isinstance(value, np.ndarray | list | tuple):
        return str(np.asarray(value).tolist())
    return "-" if pd.isna(value) else str(value)


def _named(cases: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    named = cases.assign(**{"class": [classes[label] for label in cases["label"]]})
    return named.set_index("case")


def _changes(was: pd.Series, now: pd.Series) -> list[tuple[str, str, str]]:
    changed = (was != now).to_numpy()
    return list(zip(was.index[changed], was[changed], now[changed], strict=True))


def _change(case: str, old: str, new: str) -> str:
    return f"{case}: {old:.{MAX_SHOWN}} -> {new:.{MAX_SHOWN}}"


def _listed(title: str, cases: list[str]) -> Iterator[str]:
    yield from (f"  {title}: {case}" for case in cases[:EXAMPLES])
    if len(cases) > EXAMPLES:
        yield f"  {title}: and {len(cases) - EXAMPLES} more"
