"""What a model does with cases out of scope: how sure it is of them, and how many it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from pipeline.evaluation.partners import PartnerRun, foreign, threshold_at
from pipeline.evaluation.run import Run
from pipeline.metrics.bins import width_bins
from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.selection_scores import confidence
from pipeline.metrics.weighting import case_weights

NUM_BINS = 20
KNOWN = "known"
"""Stands for the partner and for the kind of a model's own test cases."""


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


def ood_confidence_table(
    shown: Run, partners: Sequence[PartnerRun], calibrators: Sequence[str]
) -> pd.DataFrame:
    """Return how one model's confidence lies on its own test cases and on those out of scope.

    Columns calibrator, partner and kind (both ``known`` for the own test cases), left, right (20
    bins of equal width, each with its right edge, the first with 0 as well), cases, share.
    """
    tables = []
    own = [each for each in foreign(partners) if each.run is shown]
    for calibrator in calibrators:
        sides = {(KNOWN, KNOWN): shown.test.log_probabilities[calibrator]}
        sides |= {(each.partner, each.kind): each.log_probabilities(calibrator) for each in own}
        for (partner, kind), log_probabilities in sides.items():
            key = {"calibrator": calibrator, "partner": partner, "kind": kind}
            tables.append(pd.DataFrame(key | _histogram(confidence(log_probabilities))))
    return pd.concat(tables, ignore_index=True)


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


def _histogram(scores: Float[np.ndarray, "cases"]) -> dict[str, np.ndarray]:
    # A sum of exponentials may round beyond one.
    bins = width_bins(np.minimum(scores, 1.0), NUM_BINS)
    edges, cases = bins.edges(), bins.counts(case_weights(None, len(scores))).astype(int)
    return {"left": edges[:-1], "right": edges[1:], "cases": cases, "share": cases / len(scores)}
