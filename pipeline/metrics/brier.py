"""Brier score: squared distance between the probabilities and what happened."""

from __future__ import annotations

import numpy as np

from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import Estimates, Weights, case_weights, weighted_mean
from pipeline.shapes import Labels, LogProbabilities


def brier(
    log_probabilities: LogProbabilities, labels: Labels, *, weights: Weights | None = None
) -> Estimates:
    r"""Return the mean squared error summed over classes, from 0 (best) to 2.

    .. math:: \frac1n \sum_i \sum_k (p_{ik} - 1[y_i = k])^2

    With two classes it is twice the score that is defined on one class alone.

    >>> round(float(brier(np.log([[0.75, 0.25]]), np.array([1]))), 12)  # 0.75^2 + 0.75^2
    1.125

    References
    ----------
    Brier, Monthly Weather Review 78 (1950), equation 2.
    """
    probabilities = np.exp(log_probabilities.astype(np.float64))
    true_class = probabilities[np.arange(len(labels)), labels]
    squares = np.einsum("ik,ik->i", probabilities, probabilities)
    squares += (1.0 - true_class) ** 2 - true_class**2
    return weighted_mean(squares, case_weights(weights, len(labels)))


BRIER = Metric(
    name="brier",
    function=brier,
    kind="accuracy",
    better="lower",
    label="Brier",
    description="Squared error of the probabilities, all classes.",
    unit="",
    digits=3,
    shown=("comparison", "ranking", "groups", "model_card", "metrics_file"),
)
