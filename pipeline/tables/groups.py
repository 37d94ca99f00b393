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
    count,
    points,
    share,
    text,
)
from pipeline.tables.parts.group_columns import count_columns, group_columns, interval_columns
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.parts.spec import TableSpec


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
