"""Scores that could rank the cases instead of confidence: margin, entropy, max logit, energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.run import Run
from pipeline.metrics import COVERAGES_PERCENT, RISK_TARGETS_PERCENT
from pipeline.metrics.selection_scores import SELECTION_SCORES, calibrated_logits
from pipeline.metrics.selective import selective_summary


def selection_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return how well each score sorts right from wrong: areas and points of its own curve.

    Columns loss, seed, calibrator, score (a key of `SELECTION_SCORES`), then aurc, e_aurc, augrc,
    coverage_at_risk_* and risk_at_coverage_*, of cases, losses 0 and 1. Maximum logit and energy
    are taken of the calibrated logits, whose softmax has the constant restored.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        raw = run.test.predictions.logits.astype(np.float64)
        for calibrator, log_probabilities in run.test.log_probabilities.items():
            losses = 1 - np.asarray(run.test.top(calibrator).correct, dtype=int)
            logits = calibrated_logits(raw, log_probabilities)
            for name, score in SELECTION_SCORES.items():
                key = {"loss": run.loss, "seed": run.seed, "calibrator": calibrator}
                summary = selective_summary(
                    score(logits),
                    losses,
                    targets=[percent / 100 for percent in RISK_TARGETS_PERCENT],
                    coverages=[percent / 100 for percent in COVERAGES_PERCENT],
                )
                rows.append(key | {"score": name} | summary)
    return pd.DataFrame(rows)
