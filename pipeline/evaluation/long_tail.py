"""What classes with many, some and few training cases each get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.curves import MIN_ANSWERED, mean_over_seeds
from pipeline.evaluation.run import Run, by_loss
from pipeline.metrics.long_tail import (
    ClassGroups,
    groups_by_count,
    groups_by_tertile,
    score_by_group,
)


def long_tail_table(
    runs: Sequence[Run], classes: Sequence[str], training_cases: Mapping[str, int]
) -> pd.DataFrame:
    """Return accuracy, ECE and AURC of the classes with many, some and few training cases.

    Columns loss, seed, calibrator, rule, group (many, medium, few), num_classes, cases (test cases
    of these classes), correct, accuracy, lower, upper (exact 95 %), ece, aurc. The rule is
    ``count`` (more than 100, fewer than 20) where that leaves both many and few, else ``tertile``.
    """
    rule, groups = _grouped(classes, training_cases)
    rows: list[dict[str, Any]] = []
    for run in runs:
        for calibrator, log_probabilities in run.test.log_probabilities.items():
            scored = score_by_group(log_probabilities, run.test.predictions.labels, groups)
            for group, found in scored.items():
                interval = found.accuracy.interval
                rows.append(
                    {"loss": run.loss, "seed": run.seed, "calibrator": calibrator, "rule": rule}
                    | {"group": group, "num_classes": found.num_classes}
                    | {"cases": found.accuracy.of, "correct": found.accuracy.count}
                    | {"accuracy": found.accuracy.rate}
                    | {"lower": interval.lower if interval else None}
                    | {"upper": interval.upper if interval else None}
                    | {"ece": found.ece, "aurc": found.aurc}
                )
    return pd.DataFrame(rows)


def long_tail_curves_table(
    runs: Sequence[Run],
    calibrators: Sequence[str],
    classes: Sequence[str],
    training_cases: Mapping[str, int],
) -> pd.DataFrame:
    """Return the risk-coverage curve of the classes with many, some and few training cases.

    Columns loss, calibrator, rule, group (as in the `long_tail_table`), cases, coverage (of the
    group's test cases), risk_mean, risk_sd, num_seeds: over seeds, on the grid of the
    `risk_coverage_table`, from 30 answered on. A group of fewer test cases has no rows.
    """
    rule, groups = _grouped(classes, training_cases)
    tables = []
    for loss, seeds in by_loss(runs):
        for calibrator in calibrators:
            scored = [
                score_by_group(
                    run.test.log_probabilities[calibrator], run.test.predictions.labels, groups
                )
                for run in seeds
            ]
            for group, first in scored[0].items():
                key: dict[str, Any] = {"loss": loss, "calibrator": calibrator, "rule": rule}
                key |= {"group": group, "cases": first.accuracy.of}
                curves = [each[group].curve for each in scored]
                table = pd.DataFrame(key | mean_over_seeds(curves))
                tables.append(table[table["coverage"] * table["cases"] >= MIN_ANSWERED])
    return pd.concat(tables, ignore_index=True)


def _grouped(classes: Sequence[str], training_cases: Mapping[str, int]) -> tuple[str, ClassGroups]:
    """Return the rule by which classes are grouped, and each class's group."""
    counts = np.array([training_cases[name] for name in classes])
    by_count = groups_by_count(counts)
    if {"many", "few"} <= set(by_count.tolist()):
        return "count", by_count
    return "tertile", groups_by_tertile(counts)
