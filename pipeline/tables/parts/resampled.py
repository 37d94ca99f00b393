"""A statistic of one run on resamples of its test patients, and its interval."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from pipeline.metrics.bootstrap import resampled_weights
from pipeline.metrics.intervals import LEVEL, percentile_interval
from pipeline.metrics.side_by_side import side_by_side
from pipeline.metrics.weighting import Weights
from pipeline.tables.parts.run import Run


class Statistic(Protocol):
    """What is computed anew of every resample."""

    def __call__(self, *, weights: Weights) -> Any:
        """Return one value, or one row of values, a row of weights."""


def resampled_statistic(
    run: Run,
    statistic: Statistic,
    *,
    num_resamples: int,
    seed: int,
) -> Float[np.ndarray, "resamples *axes"]:
    """Return a statistic of resampled test patients, one row a resample."""
    patients = run.test.predictions.patients
    blocks = resampled_weights(patients, seed=seed, num_resamples=num_resamples)
    return np.concatenate(side_by_side(lambda weights: statistic(weights=weights), blocks))


def interval_ends(
    values: Float[np.ndarray, "resamples"], prefix: str = ""
) -> dict[str, float | None]:
    """Return the ends of the percentile interval, empty where there is none."""
    interval = percentile_interval(values, LEVEL)
    return {
        f"{prefix}lower": interval.lower if interval else None,
        f"{prefix}upper": interval.upper if interval else None,
    }
