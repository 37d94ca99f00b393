"""How many cases out of scope each target's threshold answers: all are errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.selection_scores import confidence
from pipeline.tables.operating_points import OPERATING_POINTS
from pipeline.tables.parts.column import CALIBRATOR, KIND, LOSS, PARTNER, SEED, TARGET, count, share
from pipeline.tables.parts.partners import (
    PartnerRun,
    foreign,
    has_foreign_partners,
    threshold_at,
)
from pipeline.tables.parts.spec import TableSpec


def ood_answered_table(
    partners: Sequence[PartnerRun], points: pd.DataFrame, targets: Sequence[float]
) -> pd.DataFrame:
    """Return how many cases out of scope the threshold of each target answers: all are errors.

    Columns loss, calibrator, seed, partner, kind, target, threshold (of the
    `operating_points_table`; empty where none was found, which answers nobody), answered, foreign,
    rate, lower, upper (exact 95 %). The unit is the image, each taken as drawn by itself.
    """
    rows: list[dict[str, Any]] = []
    for each in foreign(partners):
        for calibrator in each.run.calibrators:
            scores = confidence(each.log_probabilities(calibrator))
            for target in targets:
                threshold = threshold_at(points, each.run, calibrator, target)
                found = {"target": target, "threshold": threshold}
                rows.append(each.key(calibrator) | found | _answered(scores >= threshold))
    return pd.DataFrame(rows)


def _answered(accepted: np.ndarray) -> dict[str, float]:
    answered, number = int(accepted.sum()), len(accepted)
    interval = proportion_interval(answered, number)
    return {
        "answered": answered,
        "foreign": number,
        "rate": answered / number,
        "lower": interval.lower,
        "upper": interval.upper,
    }


OOD_ANSWERED = TableSpec(
    name="ood_answered",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        PARTNER,
        KIND,
        TARGET,
        share("threshold"),
        count("answered"),
        count("foreign"),
        share("rate"),
        share("lower"),
        share("upper"),
    ),
    compute=lambda experiment: ood_answered_table(
        experiment.partners, experiment.frame(OPERATING_POINTS), experiment.row.risk_targets
    ),
    when=has_foreign_partners,
)
