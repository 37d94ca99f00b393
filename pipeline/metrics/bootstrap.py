"""Intervals by resampling patients: all of a patient's cases come and go together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.metrics import METRICS, NUM_BINS, Cases, evaluate, prepare_cases
from pipeline.metrics.calibrated_bins import expected_ece_if_calibrated
from pipeline.metrics.intervals import LEVEL, Interval, bias_bounded_interval, percentile_interval
from pipeline.metrics.side_by_side import side_by_side
from pipeline.metrics.weighting import Patients, Weights
from pipeline.shapes import Labels, LogProbabilities, require_same_length

NUM_RESAMPLES = 1000
"""Resamples unless said."""

BLOCK_ELEMENTS = 2**20
"""Weights held at once, 8 MB: few enough to stay in cache, many enough that sorting is rare."""


def bootstrap_mean_score(
    runs: Sequence[LogProbabilities],
    labels: Labels,
    patients: Patients,
    *,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
    num_bins: int = NUM_BINS,
    level: float = LEVEL,
) -> dict[str, Interval | None]:
    """Return an interval for each metric's mean over runs on the same cases, where one is sound.

    ``runs`` are the log-probabilities of each run (seed). Each resample draws as many patients as
    there are, with replacement, for all runs alike, and takes all the cases of each. So intervals
    say what other patients from the same population would change. The same seed and patients give
    the same resamples: differences between methods may be taken resample by resample.

    Percentile intervals; for ECE, whose resampled values lie too high, `bias_bounded_interval`.
    There is none where no resample has the number (AUROC of a single class), where all have the
    same (accuracy without an error: that none was seen does not make it certain), and for metrics
    of which no interval holds its level; see `Metric`.

    Raises
    ------
    InputError
        As `score` does; without a run; with fewer than two patients or than one resample.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), sections 8.3 and 13.3.
    """
    cases = [prepare_cases(run, labels, num_bins) for run in runs]
    return score_intervals(cases, patients, seed=seed, num_resamples=num_resamples, level=level)


def score_intervals(
    runs: Sequence[Cases],
    patients: Patients,
    *,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
    level: float = LEVEL,
) -> dict[str, Interval | None]:
    """Return the intervals of `bootstrap_mean_score` for cases already checked."""
    kinds = {name: metric.interval for name, metric in METRICS.items()}
    sound = [name for name, kind in kinds.items() if kind != "none"]
    values = resample_scores(runs, patients, seed=seed, num_resamples=num_resamples, names=sound)
    intervals: dict[str, Interval | None] = dict.fromkeys(METRICS)
    for name, resampled in values.items():
        if np.nanmin(resampled, initial=np.inf) >= np.nanmax(resampled, initial=-np.inf):
            continue
        if kinds[name] == "percentile":
            intervals[name] = percentile_interval(resampled, level)
        else:
            value = np.mean([METRICS[name](run) for run in runs])
            bias = np.mean([expected_ece_if_calibrated(run, patients) for run in runs])
            intervals[name] = bias_bounded_interval(float(value), resampled, float(bias), level)
    return intervals


def resample_scores(
    runs: Sequence[Cases],
    patients: Patients,
    *,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
    names: Collection[str] = METRICS,
) -> dict[str, Float[np.ndarray, "resamples"]]:
    """Return the named metrics of every resample, averaged over the runs.

    NaN where a resample does not have the number (AUROC when a single class is drawn).
    """
    if not runs:
        message = "at least one run expected, got none"
        raise InputError(message)
    for run in runs:
        require_same_length(labels=run.labels, patients=patients)

    def means(weights: Weights) -> dict[str, Float[np.ndarray, "block"]]:
        scores = [evaluate(run, weights, names) for run in runs]
        missing = np.full(len(weights), np.nan)
        each_run = {
            name: [missing if run[name] is None else run[name] for run in scores] for name in names
        }
        return {name: np.mean(np.array(values), axis=0) for name, values in each_run.items()}

    blocks = resampled_weights(patients, seed=seed, num_resamples=num_resamples)
    values = side_by_side(means, blocks)
    return {name: np.concatenate([block[name] for block in values]) for name in names}


def resampled_weights(
    patients: Patients, *, seed: int, num_resamples: int = NUM_RESAMPLES
) -> Iterator[Weights]:
    """Yield blocks of rows, each row the times that a resample of patients holds each case.

    >>> patients = np.array(["a", "a", "b"])
    >>> next(resampled_weights(patients, seed=0, num_resamples=4))
    array([[0., 0., 2.],
           [1., 1., 1.],
           [2., 2., 0.],
           [2., 2., 0.]])
    """
    if num_resamples < 1:
        message = f"num_resamples must be at least 1, got {num_resamples}"
        raise InputError(message)
    names, patient = np.unique(patients, return_inverse=True)
    if len(names) < 2:
        message = f"resampling needs at least two patients, got {len(names)}"
        raise InputError(message)
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK_ELEMENTS // len(patient))
    for start in range(0, num_resamples, step):
        size = min(step, num_resamples - start)
        drawn = rng.integers(len(names), size=(size, len(names)))
        counts = np.array([np.bincount(row, minlength=len(names)) for row in drawn], dtype=float)
        yield np.take(counts, patient, axis=1)
