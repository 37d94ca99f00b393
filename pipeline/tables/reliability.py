"""Reliability diagrams as a table: bins of equal mass, averaged over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from pipeline.metrics.bootstrap import Patients
from pipeline.metrics.reliability import consistency_band, reliability
from pipeline.metrics.top_label import TopLabel
from pipeline.tables.parts.column import CALIBRATOR, LOSS, count, number, share
from pipeline.tables.parts.run import Run, by_loss
from pipeline.tables.parts.spec import TableSpec

MAX_BINS = 15


MIN_CASES = 30
"""Fewer cases in a bin say little of its accuracy."""


def reliability_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return confidence and accuracy by bin, mean over seeds, by loss and calibrator.

    Bins hold equally many cases, at least 30 each and 15 bins at most. Equal confidences share a
    bin, so that one may hold more and the next fewer; a bin without a case in any seed is no row.
    Columns loss, calibrator, bin, lower_edge, upper_edge, count (means over seeds), confidence,
    accuracy (means over the seeds with a case in the bin), accuracy_sd (empty for one such seed),
    consistency_lower, consistency_upper: the ranges in all of which 95 % of calibrated models
    would lie, patients taken together, mean over these seeds, so they are the ranges of one seed.
    """
    rows = []
    for loss, seeds in by_loss(runs):
        patients = seeds[0].test.predictions.patients
        for calibrator in seeds[0].calibrators:
            table = _mean_bins([run.test.top(calibrator) for run in seeds], patients)
            table.insert(0, "loss", loss)
            table.insert(1, "calibrator", calibrator)
            rows.append(table)
    return pd.concat(rows, ignore_index=True)


def _mean_bins(tops: Sequence[TopLabel], patients: Patients) -> pd.DataFrame:
    num_bins = max(1, min(MAX_BINS, len(tops[0].correct) // MIN_CASES))
    points = [reliability(top.confidence, top.correct, num_bins, "mass") for top in tops]
    bands = [
        consistency_band(top.confidence, top.correct, patients, num_bins, "mass") for top in tops
    ]
    counts = np.array([each.counts for each in points])
    kept = np.flatnonzero(counts.any(axis=0))
    edges = np.mean([each.edges for each in points], axis=0)
    by_seed = {
        "confidence": [each.mean_confidence[kept] for each in points],
        "accuracy": [each.accuracy[kept] for each in points],
        "consistency_lower": [each.lower[kept] for each in bands],
        "consistency_upper": [each.upper[kept] for each in bands],
    }
    # Each bin that is kept has a seed to take its mean over.
    seen = counts.take(kept, axis=1) > 0
    means = {name: np.mean(values, axis=0, where=seen) for name, values in by_seed.items()}
    deviations = _standard_deviations(np.array(by_seed["accuracy"]), seen)
    columns = {
        "bin": kept,
        "lower_edge": edges[kept],
        "upper_edge": edges[kept + 1],
        "count": counts.mean(axis=0)[kept],
        "confidence": means["confidence"],
        "accuracy": means["accuracy"],
        "accuracy_sd": deviations,
    }
    return pd.DataFrame(columns | means)


def _standard_deviations(
    values: Float[np.ndarray, "seeds bins"], seen: Bool[np.ndarray, "seeds bins"]
) -> Float[np.ndarray, "bins"]:
    """Return each bin's over the seeds with a case in it; NaN where these are fewer than two."""
    several = np.flatnonzero(seen.sum(axis=0) > 1)
    deviations = np.full(values.shape[1], np.nan)
    theirs, where = values.take(several, axis=1), seen.take(several, axis=1)
    deviations[several] = theirs.std(axis=0, ddof=1, where=where)
    return deviations


RELIABILITY = TableSpec(
    name="reliability",
    columns=(
        LOSS,
        CALIBRATOR,
        count("bin", key=True),
        share("lower_edge"),
        share("upper_edge"),
        number("count"),
        share("confidence"),
        share("accuracy"),
        share("accuracy_sd"),
        share("consistency_lower"),
        share("consistency_upper"),
    ),
    compute=lambda experiment: reliability_table(experiment.runs),
    required=True,
)
