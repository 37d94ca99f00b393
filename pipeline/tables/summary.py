"""What each loss and calibrator come to over the seeds."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.metrics import every_metric
from pipeline.metrics.bootstrap import bootstrap_mean_score
from pipeline.metrics.intervals import Interval
from pipeline.tables.parts.column import CALIBRATOR, LOSS, METRIC, count, number
from pipeline.tables.parts.run import Run, by_loss
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.runs import RUNS

Method = tuple[str, str]
"""A loss and a calibrator."""


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
        resampled (`bootstrap_mean_score`); empty for metrics of which no interval holds its
        level, for those of `DERIVED`, and for pairs that are not compared closely.
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
            for metric in [name for name in every_metric() if name in scores]:
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


SUMMARY = TableSpec(
    name="summary",
    columns=(
        LOSS,
        CALIBRATOR,
        METRIC,
        number("mean"),
        number("sd"),
        count("num_seeds"),
        number("lower"),
        number("upper"),
    ),
    compute=lambda experiment: summary_table(
        experiment.runs,
        experiment.frame(RUNS),
        closely=experiment.compared_closely,
        **experiment.bootstrap,
    ),
    required=True,
)
