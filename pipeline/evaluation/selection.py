"""Scores that could rank the cases instead of confidence: margin, entropy, max logit, energy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from pipeline.evaluation.run import Applied, Run
from pipeline.metrics import COVERAGES_PERCENT, RISK_TARGETS_PERCENT
from pipeline.metrics.selection_scores import (
    NEED_LOGITS,
    SELECTION_SCORES,
    SelectionScores,
    are_log_probabilities,
    calibrated_logits,
)
from pipeline.metrics.selective import selective_summary


class Points(TypedDict):
    """Where a risk-coverage curve is read."""

    targets: list[float]
    coverages: list[float]


POINTS: Points = {
    "targets": [percent / 100 for percent in RISK_TARGETS_PERCENT],
    "coverages": [percent / 100 for percent in COVERAGES_PERCENT],
}
"""The same for every kind of risk."""


def selection_scores(test: Applied, calibrator: str) -> Iterator[tuple[str, SelectionScores]]:
    """Yield every score of `SELECTION_SCORES` that these predictions have, with its values.

    Maximum logit and energy are taken of the calibrated logits, whose softmax has the constant
    restored. Where probabilities were brought instead of logits there is none, and neither score.
    """
    raw = test.predictions.logits.astype(np.float64)
    logits = calibrated_logits(raw, test.log_probabilities[calibrator])
    lost = are_log_probabilities(raw)
    for name, score in SELECTION_SCORES.items():
        if not (lost and name in NEED_LOGITS):
            yield name, score(logits)


def selection_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return how well each score sorts right from wrong: areas and points of its own curve.

    Columns loss, seed, calibrator, score (of `selection_scores`), then aurc, e_aurc, augrc,
    coverage_at_risk_* and risk_at_coverage_*, of cases, losses 0 and 1.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        for calibrator in run.test.log_probabilities:
            losses = 1 - np.asarray(run.test.top(calibrator).correct, dtype=int)
            for name, values in selection_scores(run.test, calibrator):
                key = {"loss": run.loss, "seed": run.seed, "calibrator": calibrator}
                rows.append(key | {"score": name} | selective_summary(values, losses, **POINTS))
    return pd.DataFrame(rows)
