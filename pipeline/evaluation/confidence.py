"""How confidence lies, and how right it is: histograms and smooth curves of one seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.evaluation.run import Run, first_seeds
from pipeline.metrics.bins import width_bins
from pipeline.metrics.smooth_curve import smooth_curve
from pipeline.metrics.weighting import case_weights

HISTOGRAM_BINS = 20


def confidence_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return how many test cases of each loss's first seed are right and wrong, by confidence.

    Columns loss, calibrator, seed, lower_edge, upper_edge, right, wrong; 20 bins of equal width,
    each with its upper edge, the first with 0 as well.
    """
    rows = []
    for run in first_seeds(runs):
        for calibrator in run.calibrators:
            top = run.test.top(calibrator)
            bins = width_bins(top.confidence, HISTOGRAM_BINS)
            edges, ones = bins.edges(), case_weights(None, len(top.correct))
            right = bins.sums(np.asarray(top.correct, dtype=float), ones).astype(int)
            columns = {"lower_edge": edges[:-1], "upper_edge": edges[1:], "right": right}
            wrong = bins.counts(ones).astype(int) - right
            rows.append(pd.DataFrame(run.key(calibrator) | columns | {"wrong": wrong}))
    return pd.concat(rows, ignore_index=True)


def smooth_curve_table(
    runs: Sequence[Run], calibrators: Sequence[str], *, num_resamples: int, seed: int
) -> pd.DataFrame:
    """Return accuracy as a smooth function of confidence, with a pointwise 95 % patient bootstrap.

    Columns loss, calibrator, seed, confidence, accuracy, lower, upper; of each run given, at the
    points near which enough cases lie. A kernel's curve, so its band says nothing of what the
    kernel blurs; see `smooth_curve`.
    """
    rows = []
    for run in runs:
        for calibrator in calibrators:
            top = run.test.top(calibrator)
            curve = smooth_curve(
                top.confidence,
                top.correct,
                run.test.predictions.patients,
                seed=seed,
                num_resamples=num_resamples,
            )
            names = ("confidence", "accuracy", "lower", "upper")
            columns = {name: getattr(curve, name) for name in names}
            table = pd.DataFrame(run.key(calibrator) | columns)
            rows.append(table[table["accuracy"].notna()])
    return pd.concat(rows, ignore_index=True)
