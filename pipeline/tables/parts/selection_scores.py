"""Scores that could rank the cases instead of confidence: margin, entropy, max logit, energy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

import numpy as np

from pipeline.metrics.risk_points import COVERAGES_PERCENT, RISK_TARGETS_PERCENT
from pipeline.metrics.selection_scores import (
    NEED_LOGITS,
    SELECTION_SCORES,
    SelectionScores,
    are_log_probabilities,
    calibrated_logits,
)
from pipeline.tables.parts.run import Applied


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
