"""What becomes of each class at each operating point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.tables.operating_points import OPERATING_POINTS
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SEED, TARGET, count
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.parts.spec import TableSpec


def per_class_table(
    runs: Sequence[Run], classes: Sequence[str], operating_points: pd.DataFrame
) -> pd.DataFrame:
    """Return, for every row of the `operating_points_table`, one row a class.

    ``cases`` counts test patients with an image of the class, ``answered`` those of them who are
    answered, ``wrong`` those answered with an image of that class read wrongly, ``referred`` the
    rest.
    """
    tests = {(run.loss, run.seed): run.test for run in runs}
    rows: list[dict[str, Any]] = []
    for point in operating_points.to_dict("records"):
        test = tests[point["loss"], point["seed"]]
        key = {name: point[name] for name in ("loss", "seed", "calibrator", "target")}
        rows += [
            key | counts
            for counts in _by_class(test, point["calibrator"], point["threshold"], classes)
        ]
    return pd.DataFrame(rows)


def _by_class(
    test: Applied, calibrator: str, threshold: float, classes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    patients, labels = test.predictions.patients, test.predictions.labels
    answered = test.answered(calibrator, threshold)
    missed = answered & ~np.asarray(test.top(calibrator).correct, dtype=bool)
    for label, name in enumerate(classes):
        is_class = labels == label
        counts = [
            len(np.unique(patients[is_class & chosen]))
            for chosen in (np.ones_like(answered), answered, missed)
        ]
        yield {
            "class": name,
            "cases": counts[0],
            "answered": counts[1],
            "wrong": counts[2],
            "referred": counts[0] - counts[1],
        }


PER_CLASS = TableSpec(
    name="per_class",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        TARGET,
        CLASS,
        count("cases", disclosure="count"),
        count("answered", disclosure="count"),
        count("wrong", disclosure="count"),
        count("referred", disclosure="count"),
    ),
    compute=lambda experiment: per_class_table(
        experiment.runs, experiment.classes, experiment.frame(OPERATING_POINTS)
    ),
    required=True,
    disclose=by_class,
)
