"""Every metric of every group of test cases, the true classes among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics import metrics_shown
from pipeline.metrics.groups import by_group
from pipeline.tables.parts.column import (
    CALIBRATOR,
    COLUMN,
    GROUP,
    LOSS,
    METRIC,
    SEED,
    Across,
    count,
    metric,
    number,
    text,
)
from pipeline.tables.parts.disclosure import Classes, blank, counts_of
from pipeline.tables.parts.group_columns import (
    CLASS_COLUMN,
    count_columns,
    group_columns,
    interval_columns,
)
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import RESAMPLED_ECE, percent

WRONG_PATIENTS = "wrong_patients"
"""The first row of each group in `group_scores_table`: patients with at least one wrong case."""


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
    columns[CLASS_COLUMN] = np.array(classes)[predictions.labels]
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
                key |= count_columns(found.wrong, "num_wrong")
                first = {"metric": WRONG_PATIENTS, "value": found.wrong.share}
                rows.append(key | first | interval_columns(found.wrong.interval))
                rows += [
                    key
                    | {"metric": metric, "value": value}
                    | interval_columns(found.intervals[metric])
                    for metric, value in found.scores.items()
                ]
    return pd.DataFrame(rows)


def _disclose(spec: TableSpec, table: pd.DataFrame, classes: Classes) -> pd.DataFrame:
    """Hide the classes that are masked elsewhere; small groups came hidden."""
    masked = [name for name, kind in classes.items() if kind == "masked"]
    hidden = (table["column"] == CLASS_COLUMN) & table["group"].isin(masked)
    first = hidden & ~table.duplicated(["loss", "calibrator", "seed", "column", "group"])
    table = blank(table, counts_of(spec), hidden)
    return table.assign(visibility=table["visibility"].mask(hidden, "masked"))[~hidden | first]


def shown_group_scores(scores: Scores) -> Table:
    """Return one row a group with its metrics and intervals."""
    frame = scores.shown("group_scores")
    wrong = frame["metric"] == WRONG_PATIENTS
    return rendered(
        "group_scores",
        f"Scores of every group and true class, everything answered: {scores.model}. "
        f"{_accuracies(frame)} Intervals: "
        f"exact of patients, 95% patient bootstraps of the rest; where they overlap, equality is "
        f"not shown. {RESAMPLED_ECE} The files hold every metric.",
        [
            COLUMN,
            GROUP,
            count(
                "num_wrong",
                "Misclassified",
                unit="patients with a wrong image",
                of="num_patients",
                rate="value",
                ends=("lower", "upper"),
                disclosure="count",
            ),
        ],
        # The first row of each group is of its patients.
        pd.concat([frame[wrong], frame[~wrong]]),
        across=Across(
            "metric",
            metrics_shown("groups"),
            lambda key: metric(key, "value", ends=("lower", "upper"), disclosure="rate"),
        ),
        behind=frame,
    )


def _accuracies(frame: pd.DataFrame) -> str:
    """Say from what to what accuracy runs among the groups of each kind that are shown in full."""
    accuracy = frame[frame["metric"] == "accuracy"]
    words = []
    for column, own in accuracy.groupby("column", sort=False):
        if len(own) < 2:
            continue
        low, high = (
            own.iloc[int(place)] for place in (own["value"].argmin(), own["value"].argmax())
        )
        kind = "true class" if column == CLASS_COLUMN else str(column).replace("_", " ")
        words.append(
            f"by {kind} from {percent(low['value'])} ({low['group']}) to "
            f"{percent(high['value'])} ({high['group']})"
        )
    return f"Images read rightly: {'; '.join(words)}." if words else ""


GROUP_SCORES = TableSpec(
    name="group_scores",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        COLUMN,
        GROUP,
        text("visibility"),
        count("num_patients", disclosure="count"),
        count("num_wrong", disclosure="count"),
        METRIC,
        number("value", disclosure="count"),
        number("lower", disclosure="count"),
        number("upper", disclosure="count"),
    ),
    compute=lambda experiment: group_scores_table(
        experiment.shown,
        [experiment.row.headline_calibrator],
        experiment.classes,
        **experiment.bootstrap,
    ),
    disclose=_disclose,
    section="scores",
    show=lambda scores: [shown_group_scores(scores)],
)
