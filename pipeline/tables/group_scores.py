"""Every metric of every group of test cases, the true classes among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.groups import by_group
from pipeline.tables.parts.column import (
    CALIBRATOR,
    COLUMN,
    GROUP,
    LOSS,
    METRIC,
    SEED,
    count,
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
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.spec import TableSpec

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
)
