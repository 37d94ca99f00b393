"""Reliability diagrams as a table: bins of equal mass, averaged over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.evaluation.run import Run, by_loss
from pipeline.metrics.reliability import consistency_band, reliability
from pipeline.metrics.top_label import TopLabel

MAX_BINS = 15
MIN_CASES = 30
"""Fewer cases in a bin say little of its accuracy."""


def reliability_table(runs: Sequence[Run], *, seed: int) -> pd.DataFrame:
    """Return confidence and accuracy by bin, mean over seeds, by loss and calibrator.

    Bins hold equally many cases, at least 30 each and 15 bins at most. Columns loss, calibrator,
    bin, lower_edge, upper_edge, count, confidence, accuracy (means over seeds), accuracy_sd (empty
    for one seed), consistency_lower, consistency_upper: where 95 % of calibrated models would fall
    in that bin, mean over seeds, so it is the range of one seed.
    """
    rows = []
    for loss, seeds in by_loss(runs):
        for calibrator in seeds[0].calibrators:
            table = _mean_bins([run.test.top(calibrator) for run in seeds], seed=seed)
            table.insert(0, "loss", loss)
            table.insert(1, "calibrator", calibrator)
            rows.append(table)
    return pd.concat(rows, ignore_index=True)


def _mean_bins(tops: Sequence[TopLabel], *, seed: int) -> pd.DataFrame:
    num_bins = max(1, min(MAX_BINS, len(tops[0].correct) // MIN_CASES))
    points = [reliability(top.confidence, top.correct, num_bins, "mass") for top in tops]
    bands = [consistency_band(top.confidence, num_bins, "mass", seed=seed) for top in tops]
    accuracies = np.array([each.accuracy for each in points])
    edges = np.mean([each.edges for each in points], axis=0)
    return pd.DataFrame(
        {
            "bin": np.arange(num_bins),
            "lower_edge": edges[:-1],
            "upper_edge": edges[1:],
            "count": points[0].counts,
            "confidence": np.mean([each.mean_confidence for each in points], axis=0),
            "accuracy": accuracies.mean(axis=0),
            "accuracy_sd": accuracies.std(axis=0, ddof=1) if len(tops) > 1 else np.nan,
            "consistency_lower": np.mean([each.lower for each in bands], axis=0),
            "consistency_upper": np.mean([each.upper for each in bands], axis=0),
        }
    )
