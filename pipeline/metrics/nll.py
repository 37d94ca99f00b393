"""Negative log-likelihood: how surprised the model is by the true classes."""

from __future__ import annotations

import numpy as np

from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import Estimates, Weights, case_weights, weighted_mean
from pipeline.shapes import Labels, LogProbabilities


def nll(
    log_probabilities: LogProbabilities, labels: Labels, *, weights: Weights | None = None
) -> Estimates:
    r"""Return the mean negative log-likelihood in nats, 0 at best.

    .. math:: -\frac1n \sum_i \log p_{i, y_i}

    A true class of probability zero (log-probability minus infinity) makes it infinite: the model
    had called what happened impossible, and no finite number says so.

    >>> round(float(nll(np.log([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 0]))), 4)  # 1.5 log 2
    1.0397
    """
    weights = case_weights(weights, len(labels))
    surprise = -log_probabilities[np.arange(len(labels)), labels].astype(np.float64)
    impossible = np.isposinf(surprise)
    finite = weighted_mean(np.where(impossible, 0.0, surprise), weights)
    # Zero times infinity is no number: a resample is infinite only if it holds such a case.
    return np.where(weights[..., impossible].any(axis=-1), np.inf, finite)[()]


NLL = Metric(
    name="nll",
    function=nll,
    kind="accuracy",
    better="lower",
    label="NLL",
    description="Mean negative log-likelihood of the true class, nats.",
    unit="nats",
    digits=3,
    shown=("comparison", "ranking", "groups", "model_card", "metrics_file", "results"),
)
