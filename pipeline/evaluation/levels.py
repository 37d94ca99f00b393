"""How far calibration goes: on average, in slope, and class by class."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import pandas as pd
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.evaluation.run import Run
from pipeline.metrics.bootstrap import resampled_weights
from pipeline.metrics.calibration_error import ece
from pipeline.metrics.calibration_in_the_large import (
    calibration_in_the_large_by_class,
    confidence_gap,
)
from pipeline.metrics.cox import cox_line, cox_lines_by_class, one_vs_rest_log_odds
from pipeline.metrics.intervals import LEVEL, percentile_interval
from pipeline.metrics.side_by_side import side_by_side
from pipeline.metrics.weighting import Weights

LINE_RESAMPLES = 200
"""Of a Cox line's interval: each resample is a fit of its own, so there are fewer."""


class Statistic(Protocol):
    """What is computed anew of every resample."""

    def __call__(self, *, weights: Weights) -> Any:
        """Return one value, or one row of values, a row of weights."""


def levels_table(
    run: Run, calibrators: Sequence[str], *, num_resamples: int, seed: int
) -> pd.DataFrame:
    """Return the mean and the weak level of calibration of one run, with 95 % patient bootstraps.

    Columns loss, calibrator, seed, quantity, value, lower, upper. Quantities: ``gap``, mean
    confidence minus accuracy; ``slope`` and ``intercept`` (at slope one) of Cox's line of being
    right on the log-odds of the confidence. A line that does not exist is empty.
    """
    rows = []
    for calibrator in calibrators:
        top = run.test.top(calibrator)
        gaps = _resampled(
            run,
            partial(confidence_gap, top.confidence, top.correct),
            num_resamples=num_resamples,
            seed=seed,
        )
        gap = float(confidence_gap(top.confidence, top.correct))
        key = run.key(calibrator)
        rows.append(key | {"quantity": "gap", "value": gap} | _ends(gaps))
        rows += [key | row for row in _line_rows(run, calibrator, seed=seed)]
    return pd.DataFrame(rows)


def class_calibration_table(
    run: Run,
    calibrators: Sequence[str],
    classes: Sequence[str],
    *,
    num_resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return each class's mean probability against its share, and its own calibration error.

    Columns loss, calibrator, seed, class, cases (test cases of the class), mean_probability, share,
    gap (the first less the second), gap_lower, gap_upper (95 % patient bootstrap), ece (of this
    class's probability against being of the class).
    """
    labels = run.test.predictions.labels
    rows: list[dict[str, Any]] = []
    for calibrator in calibrators:
        log_probabilities = run.test.log_probabilities[calibrator]
        probabilities = np.minimum(np.exp(log_probabilities), 1.0)
        gaps = _resampled(
            run,
            partial(calibration_in_the_large_by_class, log_probabilities, labels),
            num_resamples=num_resamples,
            seed=seed,
        )
        for label, name in enumerate(classes):
            own, mean = labels == label, float(probabilities[:, label].mean())
            numbers = {"cases": int(own.sum()), "mean_probability": mean, "share": own.mean()}
            rows.append(
                run.key(calibrator)
                | {"class": name}
                | numbers
                | {"gap": mean - own.mean()}
                | _ends(gaps[:, label], "gap_")
                | {"ece": float(ece(probabilities[:, label], own))}
            )
    return pd.DataFrame(rows)


def cox_table(runs: Sequence[Run], classes: Sequence[str]) -> pd.DataFrame:
    """Return Cox's line of every class against the rest, of every run and calibrator.

    Columns loss, seed, calibrator, class, cases, slope, intercept, intercept_at_slope_one, reason:
    why there is no line, where there is none.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        labels = run.test.predictions.labels
        for calibrator, log_probabilities in run.test.log_probabilities.items():
            lines = cox_lines_by_class(log_probabilities, labels)
            for label, (name, line) in enumerate(zip(classes, lines, strict=True)):
                key = {"loss": run.loss, "seed": run.seed, "calibrator": calibrator}
                key |= {"class": name, "cases": int((labels == label).sum())}
                found = {"reason": line} if isinstance(line, str) else vars(line)
                rows.append(key | found)
    columns = ("slope", "intercept", "intercept_at_slope_one", "reason")
    return pd.DataFrame(rows, columns=list(dict.fromkeys([*rows[0], *columns])))


def _line_rows(run: Run, calibrator: str, *, seed: int) -> list[dict[str, Any]]:
    top = run.test.top(calibrator)
    log_odds = one_vs_rest_log_odds(run.test.log_probabilities[calibrator])
    log_odds = log_odds[np.arange(len(log_odds)), top.predicted]

    def line(weights: Weights | None = None) -> tuple[float, float]:
        try:
            found = cox_line(log_odds, top.correct, weights=weights)
        except InputError:
            # A resample may be right throughout, or parted by the log-odds: it has no line.
            return np.nan, np.nan
        return found.intercept_at_slope_one, found.slope

    def lines(weights: Weights) -> Float[np.ndarray, "block 2"]:
        return np.array([line(row) for row in weights])

    resampled = _resampled(run, lines, num_resamples=LINE_RESAMPLES, seed=seed)
    return [
        {"quantity": quantity, "value": value} | _ends(resampled[:, number])
        for number, (quantity, value) in enumerate(zip(("intercept", "slope"), line(), strict=True))
    ]


def _resampled(
    run: Run,
    statistic: Statistic,
    *,
    num_resamples: int,
    seed: int,
) -> Float[np.ndarray, "resamples *axes"]:
    patients = run.test.predictions.patients
    blocks = resampled_weights(patients, seed=seed, num_resamples=num_resamples)
    return np.concatenate(side_by_side(lambda weights: statistic(weights=weights), blocks))


def _ends(values: Float[np.ndarray, "resamples"], prefix: str = "") -> dict[str, float | None]:
    interval = percentile_interval(values, LEVEL)
    return {
        f"{prefix}lower": interval.lower if interval else None,
        f"{prefix}upper": interval.upper if interval else None,
    }
