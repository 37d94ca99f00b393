"""How many patients of each group are answered, and wrongly, threshold by threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, ordered_names
from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.exact_band import EXACT_BAND
from pipeline.tables.parts.band_thresholds import thresholds_of
from pipeline.tables.parts.column import CALIBRATOR, COLUMN, GROUP, LOSS, SEED, count, share
from pipeline.tables.parts.disclosure import Classes, blank, firsts, masked_of
from pipeline.tables.parts.group_columns import group_columns
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import missing


def accepted_groups_table(run: Run, calibrator: str, exact_band: pd.DataFrame) -> pd.DataFrame:
    """Return how many patients of each group are answered, and wrongly, at each threshold.

    Columns loss, calibrator, seed, threshold, column, group, patients, answered, wrong (with a
    wrong case in the group), lower, upper (exact 95 %, of the wrong among the answered; empty of
    nobody); no rows without groups. Small groups are not masked here: who shows them masks them.
    """
    test, key = run.test, run.key(calibrator)
    units, thresholds = test.units(calibrator), thresholds_of(exact_band, key)
    wrong = ~np.asarray(test.top(calibrator).correct, dtype=bool)
    tables = []
    for column, groups in group_columns(test.predictions.groups).items():
        for group in ordered_names(groups):
            own = groups == group
            patients, first = np.unique(test.predictions.patients[own], return_inverse=True)
            failed = np.bincount(first, weights=wrong[own]) > 0
            confidence = units.confidence[np.searchsorted(units.patients, patients)]
            accepted = confidence >= thresholds.to_numpy()[:, None]
            answered, missed = accepted.sum(axis=1), (accepted & failed).sum(axis=1)
            counts = {"patients": len(patients), "answered": answered, "wrong": missed}
            columns = {"threshold": thresholds, "column": column, "group": group}
            tables.append(pd.DataFrame(key | columns | counts | _limits(missed, answered)))
    if not tables:
        return pd.DataFrame()
    # By threshold, as the curve goes; the sort is stable, so groups keep their order.
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values("threshold", ascending=False, kind="stable", ignore_index=True)


def _limits(wrong: np.ndarray, answered: np.ndarray) -> dict[str, list[float | None]]:
    pairs = zip(wrong.tolist(), answered.tolist(), strict=True)
    intervals = [proportion_interval(*pair) if pair[1] else None for pair in pairs]
    return {
        end: [None if interval is None else getattr(interval, end) for interval in intervals]
        for end in ("lower", "upper")
    }


def _disclose(
    spec: TableSpec,  # noqa: ARG001
    table: pd.DataFrame,
    classes: Classes,  # noqa: ARG001
) -> pd.DataFrame:
    """Hide small groups, and at each threshold whoever is answered too rarely to be shown there."""
    hidden = pd.Series(False, index=table.index)
    small = pd.Series(False, index=table.index)
    for _, kind in table.groupby(["loss", "calibrator", "seed", "column"], sort=False):
        few = masked_of(firsts(kind, "group", "patients"))
        small.loc[kind.index] = kind["group"].isin(few)
        for _, at in kind.groupby("threshold", sort=False):
            answered = dict(zip(at["group"], at["answered"], strict=True))
            hidden.loc[at.index] = at["group"].isin(_rare(answered, few))
    answers = blank(table, ("answered", "wrong", "lower", "upper"), hidden)
    return blank(answers, ["patients"], small)


def _rare(answered: Mapping[str, float], few: set[str]) -> set[str]:
    """Return who is hidden where so many are answered, the small groups among them."""
    known = {name: n for name, n in answered.items() if pd.notna(n) and n}
    small = [n for name, n in known.items() if name in few or n < MASK_BELOW]
    if len(small) >= 2 and sum(small) >= MASK_BELOW:
        return few | {name for name, n in answered.items() if pd.isna(n) or 0 < n < MASK_BELOW}
    return few | masked_of(answered)


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


ACCEPTED_GROUPS = TableSpec(
    name="accepted_groups",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        share("threshold", key=True),
        COLUMN,
        GROUP,
        count("patients", disclosure="count"),
        count("answered", disclosure="count"),
        count("wrong", disclosure="count"),
        share("lower", disclosure="count"),
        share("upper", disclosure="count"),
    ),
    compute=lambda experiment: accepted_groups_table(
        experiment.shown, experiment.row.headline_calibrator, experiment.frame(EXACT_BAND)
    ),
    may_be_empty=True,
    disclose=_disclose,
)
