"""What is answered, threshold by threshold: of each class, and of each group of patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.groups import group_columns
from pipeline.evaluation.run import Run
from pipeline.metrics.group_shares import ordered_names
from pipeline.metrics.intervals import proportion_interval

CLASS_COLUMNS = ("loss", "calibrator", "seed", "threshold", "label", "prediction", "cases")


def accepted_table(
    run: Run, calibrator: str, exact_band: pd.DataFrame, classes: Sequence[str]
) -> pd.DataFrame:
    """Return how many answered cases of each class are read as each, at each threshold of a curve.

    Columns loss, calibrator, seed, threshold, label (the true class), prediction, cases. Thresholds
    are those of the `exact_band_table`; a case is answered with its patient; pairs of classes that
    no answered case has are left out.
    """
    test, top, key = run.test, run.test.top(calibrator), run.key(calibrator)
    lowest = test.patient_confidence(calibrator)
    pair = test.predictions.labels * len(classes) + top.predicted
    rows = []
    for threshold in _thresholds(exact_band, key):
        counts = np.bincount(pair[lowest >= threshold])
        rows += [
            (*key.values(), threshold, classes[i // len(classes)], classes[i % len(classes)], n)
            for i, n in enumerate(counts)
            if n > 0
        ]
    return pd.DataFrame(rows, columns=list(CLASS_COLUMNS))


def accepted_groups_table(run: Run, calibrator: str, exact_band: pd.DataFrame) -> pd.DataFrame:
    """Return how many patients of each group are answered, and wrongly, at each threshold.

    Columns loss, calibrator, seed, threshold, column, group, patients, answered, wrong (with a
    wrong case in the group), lower, upper (exact 95 %, of the wrong among the answered; empty of
    nobody); no rows without groups. Small groups are not masked here: who shows them masks them.
    """
    test, key = run.test, run.key(calibrator)
    units, thresholds = test.units(calibrator), _thresholds(exact_band, key)
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


def _thresholds(exact_band: pd.DataFrame, key: dict[str, Any]) -> pd.Series:
    own = (exact_band[list(key)] == pd.Series(key)).all(axis=1)
    return exact_band[own]["threshold"]


def _limits(wrong: np.ndarray, answered: np.ndarray) -> dict[str, list[float | None]]:
    pairs = zip(wrong.tolist(), answered.tolist(), strict=True)
    intervals = [proportion_interval(*pair) if pair[1] else None for pair in pairs]
    return {
        end: [None if interval is None else getattr(interval, end) for interval in intervals]
        for end in ("lower", "upper")
    }
