"""Distance to the true probabilities, where a simulation knows them."""

from __future__ import annotations

import numpy as np

from pipeline.errors import InputError
from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import Estimates, Weights, case_weights, weighted_mean
from pipeline.shapes import LogProbabilities, Probabilities


def truth_error(
    log_probabilities: LogProbabilities,
    truth: Probabilities,
    *,
    weights: Weights | None = None,
) -> Estimates:
    r"""Return the mean absolute error against the probabilities that the labels were drawn from.

    .. math:: \frac1n \sum_i \frac1K \sum_k |p_{ik} - p^*_{ik}|

    From 0 to 2/K. No bins and no labels, hence none of their noise: it also sees what a calibrated
    but blind model misses.

    Raises `InputError` if the shapes differ.

    >>> round(float(truth_error(np.log([[0.75, 0.25]]), np.array([[0.5, 0.5]]))), 12)
    0.25
    """
    if log_probabilities.shape != truth.shape:
        message = (
            "truth must have the shape of log_probabilities, "
            f"got {truth.shape} and {log_probabilities.shape}"
        )
        raise InputError(message)
    distance = np.abs(np.exp(log_probabilities.astype(np.float64)) - truth)
    return weighted_mean(distance.mean(axis=1), case_weights(weights, len(distance)))


TRUTH_ERROR = Metric(
    name="truth_error",
    function=truth_error,
    kind="calibration",
    better="lower",
    label="Truth error",
    description="Mean absolute error against the true probabilities.",
    interval="none",
)
