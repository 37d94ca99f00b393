"""Whom the model refers more, and for whom it is wrong: by site, sex, age band, class, any column.

Groups of fewer than 10 patients are masked, with a second one so that subtraction fails; from 10 to
29 patients counts and an interval are given and no rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.run import Applied, Run
from pipeline.metrics.group_shares import GroupShare, group_names, group_shares
from pipeline.metrics.groups import by_group
from pipeline.metrics.intervals import Interval
from pipeline.outgoing_text import printable

CLASS = "class"
"""The column of groups that true classes make."""

WRONG_PATIENTS = "wrong_patients"
"""The first row of each group in `group_scores_table`: patients with at least one wrong case."""


def group_columns(groups: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the columns that tell cases apart, each case's group as text.

    A column with one group has nothing to compare and is left out. Names that differ in control
    characters alone are one.
    """
    columns = {
        str(name): np.array([printable(each) for each in group_names(groups[name].to_numpy())])
        for name in groups.columns
    }
    return {name: values for name, values in columns.items() if len(np.unique(values)) > 1}


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


def group_scores_table(
    run: Run,
    calibrators: Sequence[str],
    classes: Sequence[str],
    *,
    num_resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return every metric of every group of one run's test cases, the true classes among them.

    Columns loss, calibrator, seed, column, group, visibility, num_patients, num_wrong (patients
    with at least one wrong case), metric, value, lower, upper. Each group's first row is the metric
    ``wrong_patients`` with its exact interval; the others, with patient-bootstrap intervals, follow
    for groups that are shown in full.
    """
    predictions = run.test.predictions
    columns = group_columns(predictions.groups)
    columns[CLASS] = np.array(classes)[predictions.labels]
    rows: list[dict[str, Any]] = []
    for calibrator in calibrators:
        for column, groups in columns.items():
            scored = by_group(
                groups,
                run.test.log_probabilities[calibrator],
                predictions.labels,
                predictions.patients,
                seed=seed,
                num_resamples=num_resamples,
            )
            for group, found in scored.items():
                key = run.key(calibrator) | {"column": column, "group": group}
                key |= _counts(found.wrong, "num_wrong")
                first = {"metric": WRONG_PATIENTS, "value": found.wrong.share}
                rows.append(key | first | _ends(found.wrong.interval))
                rows += [
                    key | {"metric": metric, "value": value} | _ends(found.intervals[metric])
                    for metric, value in found.scores.items()
                ]
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
            if share.visibility != "masked"
            else GroupShare("masked")
            for group, share in referred.items()
        }
        for quantity, shares in {"referred": referred, "wrong": errors}.items():
            for group, share in shares.items():
                yield {"quantity": quantity, "column": column, "group": group} | _flat(share)


def _flat(share: GroupShare) -> dict[str, Any]:
    return (
        _counts(share, "num_marked")
        | {"share": share.share}
        | _ends(share.interval)
        | {"difference": share.difference}
        | _ends(share.difference_interval, "difference_")
    )


def _counts(share: GroupShare, marked: str) -> dict[str, Any]:
    return {
        "visibility": share.visibility,
        "num_patients": share.num_patients,
        marked: share.num_marked,
    }


def _ends(interval: Interval | None, prefix: str = "") -> dict[str, float | None]:
    return {
        f"{prefix}lower": interval.lower if interval else None,
        f"{prefix}upper": interval.upper if interval else None,
    }
