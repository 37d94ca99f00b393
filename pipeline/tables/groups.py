"""Whom the model refers more, and for whom it is wrong, at each operating point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.group_shares import GroupShare, group_shares
from pipeline.tables.parts.column import (
    CALIBRATOR,
    COLUMN,
    GROUP,
    LOSS,
    QUANTITY,
    SEED,
    TARGET,
    Column,
    count,
    points,
    share,
    text,
)
from pipeline.tables.parts.group_columns import count_columns, group_columns, interval_columns
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import counted, percent, signed, target_text


def groups_table(runs: Sequence[Run], points: pd.DataFrame) -> pd.DataFrame:
    """Return, at each operating point given, whose patients are referred and answered wrongly.

    Parameters
    ----------
    runs : sequence of Run
        Their test cases have the same groups.
    points : DataFrame
        Rows of the `operating_points_table`: one threshold for all groups.

    Returns
    -------
    DataFrame
        Columns loss, calibrator, seed, target, quantity, column, group, visibility (full, counts,
        masked), num_patients, num_marked, share, lower, upper (exact 95 %), difference (from all
        others), difference_lower, difference_upper (simultaneous over the column's groups).
        Quantity ``referred`` is of all the group's patients, ``wrong`` of those answered. What is
        not shown is empty. No rows without a column of two groups.
    """
    tests = {(run.loss, run.seed): run.test for run in runs}
    rows: list[dict[str, Any]] = []
    for point in points.to_dict("records"):
        key = {name: point[name] for name in ("loss", "calibrator", "seed", "target")}
        test = tests[point["loss"], point["seed"]]
        rows += [key | row for row in _point_rows(test, point["calibrator"], point["threshold"])]
    return pd.DataFrame(rows)


def _point_rows(test: Applied, calibrator: str, threshold: float) -> Iterator[dict[str, Any]]:
    answered = test.answered(calibrator, threshold)
    wrong = ~np.asarray(test.top(calibrator).correct, dtype=bool)
    patients = test.predictions.patients
    for column, groups in group_columns(test.predictions.groups).items():
        referred = group_shares(groups, ~answered, patients)
        among = group_shares(groups[answered], wrong[answered], patients[answered])
        # Whoever is hidden among all, or has nobody answered, is hidden among the answered.
        errors = {
            group: among.get(group, GroupShare("masked"))
            if found.visibility != "masked"
            else GroupShare("masked")
            for group, found in referred.items()
        }
        for quantity, shares in {"referred": referred, "wrong": errors}.items():
            for group, found in shares.items():
                yield {"quantity": quantity, "column": column, "group": group} | _flat(found)


def _flat(found: GroupShare) -> dict[str, Any]:
    return (
        count_columns(found, "num_marked")
        | {"share": found.share}
        | interval_columns(found.interval)
        | {"difference": found.difference}
        | interval_columns(found.difference_interval, "difference_")
    )


def referred_groups_sentence(groups: pd.DataFrame) -> str:
    """Say which groups are referred more than all others of their kind, and which less.

    `groups` are the rows of one model and target.
    """
    rows = groups[(groups["quantity"] == "referred") & groups["difference"].notna()]
    if rows.empty:
        return "No group is large enough to compare how often it is referred."
    sides = {"more": rows["difference_lower"] > 0, "less": rows["difference_upper"] < 0}
    parts = []
    for word, apart in sides.items():
        named = "; ".join(_group_words(row) for _, row in rows[apart].iterrows())
        parts += [f"Referred {word} than the others: {named}."] if named else []
    return " ".join(parts) or (
        f"Of {counted(len(rows), 'groups')} compared none is referred more or less than the others "
        "by more than chance may do."
    )


def _group_words(row: pd.Series) -> str:
    ends = f"{signed(100 * row['difference_lower'])} to {signed(100 * row['difference_upper'])}"
    return (
        f"{row['column'].replace('_', ' ')} {row['group']} "
        f"({row['num_marked']:,.0f} of {row['num_patients']:,.0f}, {percent(row['share'])}; "
        f"{signed(100 * row['difference'])} points, {ends})"
    )


QUANTITIES = ("referred", "wrong")


def shown_groups(scores: Scores, groups: pd.DataFrame) -> Table:
    """Return one row a group, with the difference from all others where there are enough."""
    wrong = groups[groups["quantity"] == "wrong"].set_index(["column", "group"])
    referred = groups[groups["quantity"] == "referred"]
    return rendered(
        "groups",
        f"Groups at the target of {target_text(scores.record['headline_target'])}: one "
        "threshold for all. Exact 95% intervals; those of the differences hold at once for all "
        "groups of a kind that have one.",
        [
            COLUMN,
            GROUP,
            *_share_columns("Referred", "of the group's patients"),
            *_share_columns("Wrong", "of those answered", "_wrong"),
        ],
        referred.join(wrong.add_suffix("_wrong"), on=["column", "group"]),
        behind=groups,
    )


def _share_columns(label: str, unit: str, suffix: str = "") -> Iterator[Column]:
    """Yield the columns of one quantity: its share, and the difference from all others."""
    yield count(
        f"num_marked{suffix}",
        label,
        unit=unit,
        of=f"num_patients{suffix}",
        rate=f"share{suffix}",
        ends=(f"lower{suffix}", f"upper{suffix}"),
        disclosure="count",
    )
    yield points(
        f"difference{suffix}",
        "Difference",
        unit="points, from the others",
        ends=(f"difference_lower{suffix}", f"difference_upper{suffix}"),
        disclosure="rate",
    )


def groups_place(scores: Scores) -> str:
    """Say where on the page groups stand: where nobody is answered they have no figure."""
    point = scores.point
    return "Groups of patients" if point["answered"] else "Scores of every group and class"


def groups_sentence(groups: pd.DataFrame) -> str:
    """Say how many groups were looked at, how many could be compared, and which errors differ.

    `groups` are the rows of one model and target.
    """
    sizes, wrong = (groups[groups["quantity"] == each] for each in QUANTITIES)
    small = int((sizes["visibility"] != "full").sum())
    judged = wrong[wrong["difference"].notna()]
    few = len(sizes) - small - len(judged)
    of_few = f", {few} with too few answered" if few else ""
    examined = f"{counted(len(sizes), 'groups')} examined; {small} too small or masked{of_few}."
    return f"{examined} {_errors_sentence(judged)}"


def _errors_sentence(judged: pd.DataFrame) -> str:
    if judged.empty:
        return "No group's errors could be compared with the others'."
    apart = judged[(judged["difference_lower"] > 0) | (judged["difference_upper"] < 0)]
    if len(apart):
        named = ", ".join(
            f"{row['column'].replace('_', ' ')} {row['group']}" for _, row in apart.iterrows()
        )
        return f"Errors differ from the others' in {named}."
    among = f"none of the {len(judged)} groups" if len(judged) > 1 else "not in the one group"
    return (
        f"Errors differ from the others' in {among} compared by more than chance may do; that "
        "shows no equality."
    )


GROUPS = TableSpec(
    name="groups",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        TARGET,
        QUANTITY,
        COLUMN,
        GROUP,
        text("visibility"),
        count("num_patients"),
        count("num_marked"),
        share("share"),
        share("lower"),
        share("upper"),
        points("difference"),
        points("difference_lower"),
        points("difference_upper"),
    ),
    compute=lambda experiment: groups_table(experiment.first_seeds, experiment.points_at_target),
)
