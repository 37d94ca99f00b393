"""How many cases are right and wrong at each confidence, of each loss's first seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.metrics.bins import width_bins
from pipeline.metrics.weighting import case_weights
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, count, share
from pipeline.tables.parts.run import Run, first_seeds
from pipeline.tables.parts.spec import TableSpec

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


CONFIDENCE = TableSpec(
    name="confidence",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        share("lower_edge", key=True),
        share("upper_edge"),
        count("right"),
        count("wrong"),
    ),
    compute=lambda experiment: confidence_table(experiment.runs),
)
