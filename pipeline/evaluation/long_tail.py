"""What classes with many, some and few training cases each get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.run import Run
from pipeline.metrics.long_tail import groups_by_count, groups_by_tertile, score_by_group


def long_tail_table(
    runs: Sequence[Run], classes: Sequence[str], training_cases: Mapping[str, int]
) -> pd.DataFrame:
    """Return accuracy, ECE and AURC of the classes with many, some and few training cases.

    Columns loss, seed, calibrator, rule, group (many, medium, few), num_classes, cases (test cases
    of these classes), correct, accuracy, lower, upper (exact 95 %), ece, aurc. The rule is
    ``count`` (more than 100, fewer than 20) where that leaves both many and few, else ``tertile``.
    """
    counts = np.array([training_cases[name] for name in classes])
    rule, groups = "count", groups_by_count(counts)
    if not {"many", "few"} <= set(groups.tolist()):
        rule, groups = "tertile", groups_by_tertile(counts)
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
