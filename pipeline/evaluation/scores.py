"""Every metric of every run, and what each loss and calibrator come to over the seeds."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.run import Run, by_loss
from pipeline.metrics import METRICS, prepare_cases, score_cases
from pipeline.metrics.bootstrap import bootstrap_mean_score
from pipeline.metrics.calibrated_model import expected_ece_if_calibrated
from pipeline.metrics.intervals import Interval
from pipeline.metrics.truth import truth_error

Method = tuple[str, str]
"""A loss and a calibrator."""

TRUTH_ERROR = "truth_error"
ECE_IF_CALIBRATED = "ece_if_calibrated"
WITHOUT_INTERVAL = (ECE_IF_CALIBRATED, TRUTH_ERROR)
"""What no sample of patients is behind: an expectation, and a simulation's truth."""


def runs_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row a loss, seed and calibrator, one column a metric of `score`.

    There is a column ``ece_if_calibrated`` as well, the mean ECE of a calibrated model of these
    confidences and patients, and where a simulation knows the true probabilities, ``truth_error``.
    """
    return pd.DataFrame(_score_rows(runs))


def _score_rows(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    for run in runs:
        predictions = run.test.predictions
        for name, log_probabilities in run.test.log_probabilities.items():
            key = {"loss": run.loss, "seed": run.seed, "calibrator": name}
            cases = prepare_cases(log_probabilities, predictions.labels)
            row = key | score_cases(cases)
            row[ECE_IF_CALIBRATED] = expected_ece_if_calibrated(cases, predictions.patients)
            if predictions.truth is not None:
                row[TRUTH_ERROR] = truth_error(log_probabilities, predictions.truth)
            yield row


def summary_table(
    runs: Sequence[Run],
    scores: pd.DataFrame,
    *,
    num_resamples: int,
    seed: int,
    closely: Container[Method] | None = None,
) -> pd.DataFrame:
    """Return mean, standard deviation and interval of every metric, by loss and calibrator.

    Parameters
    ----------
    runs : sequence of Run
        All on the same test cases.
    scores : DataFrame
        Their `runs_table`.
    num_resamples, seed : int
        Of the bootstrap over patients.
    closely : container of (str, str), optional
        The losses and calibrators that get an interval; all of them unless given.

    Returns
    -------
    DataFrame
        Columns loss, calibrator, metric, mean, sd (over seeds, n - 1 in the denominator; empty for
        one seed), num_seeds, lower, upper: the 95 % interval of the mean over seeds, patients
        resampled (`bootstrap_mean_score`); empty for what is `WITHOUT_INTERVAL`, for metrics of
        which no interval holds its level, and for pairs that are not compared closely.
    """
    rows = []
    for loss, seeds in by_loss(runs):
        predictions = seeds[0].test.predictions
        for calibrator in seeds[0].test.log_probabilities:
            intervals: Mapping[str, Interval | None] = {}
            if closely is None or (loss, calibrator) in closely:
                intervals = bootstrap_mean_score(
                    [run.test.log_probabilities[calibrator] for run in seeds],
                    predictions.labels,
                    predictions.patients,
                    seed=seed,
                    num_resamples=num_resamples,
                )
            these = scores[(scores["loss"] == loss) & (scores["calibrator"] == calibrator)]
            for metric in [name for name in (*METRICS, *WITHOUT_INTERVAL) if name in scores]:
                interval = intervals.get(metric)
                rows.append(
                    {"loss": loss, "calibrator": calibrator, "metric": metric}
                    | _spread(these[metric].to_numpy(dtype=float))
                    | {
                        "lower": interval.lower if interval else None,
                        "upper": interval.upper if interval else None,
                    }
                )
    return pd.DataFrame(rows)


def _spread(values: np.ndarray) -> dict[str, float | int | None]:
    return {
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)) if len(values) > 1 else None,
        "num_seeds": len(values),
    }
