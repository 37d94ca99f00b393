"""Calibration in the large: whether the model is, on average, as sure as it is right."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import (
    Confidence,
    Correct,
    Estimates,
    Weights,
    case_weights,
    weighted_mean,
)
from pipeline.shapes import Labels, LogProbabilities


def confidence_gap(
    confidence: Confidence, correct: Correct, *, weights: Weights | None = None
) -> Estimates:
    """Return mean confidence minus accuracy, in [-1, 1]: above zero the model is over-confident.

    >>> round(float(confidence_gap(np.array([0.9, 0.7]), np.array([1, 0]))), 12)  # 0.8 - 0.5
    0.3
    """
    residual = np.asarray(confidence, dtype=np.float64) - correct
    return weighted_mean(residual, case_weights(weights, len(residual)))


CONFIDENCE_GAP = Metric(
    name="confidence_gap",
    function=confidence_gap,
    kind="calibration",
    better="zero",
    label="Confidence gap",
    description="Mean confidence minus accuracy: above zero the model is over-confident.",
)


def calibration_in_the_large_by_class(
    log_probabilities: LogProbabilities, labels: Labels, *, weights: Weights | None = None
) -> Float[np.ndarray, "*resamples classes"]:
    r"""Return each class's mean probability minus its share of the labels; they sum to zero.

    .. math:: \frac1n \sum_i p_{ik} - \frac1n \sum_i 1[y_i = k]

    References
    ----------
    Van Calster et al., BMC Medicine 17 (2019), "mean calibration".

    Examples
    --------
    >>> two_classes = np.log([[0.75, 0.25], [0.75, 0.25]])
    >>> calibration_in_the_large_by_class(two_classes, np.array([0, 1])).round(12)
    array([ 0.25, -0.25])
    """
    weights = case_weights(weights, len(labels))
    residuals = np.exp(log_probabilities.astype(np.float64))
    residuals[np.arange(len(labels)), labels] -= 1.0
    return weights @ residuals / weights.sum(axis=-1, keepdims=True)


def calibration_in_the_large(
    log_probabilities: LogProbabilities, labels: Labels, *, weights: Weights | None = None
) -> Estimates:
    """Return the largest absolute `calibration_in_the_large_by_class`, in [0, 1].

    >>> round(float(calibration_in_the_large(np.log([[0.75, 0.25]]), np.array([0]))), 12)
    0.25
    """
    return np.abs(
        calibration_in_the_large_by_class(log_probabilities, labels, weights=weights)
    ).max(axis=-1)


CALIBRATION_IN_THE_LARGE = Metric(
    name="calibration_in_the_large",
    function=calibration_in_the_large,
    kind="calibration",
    better="lower",
    label="Calibration in the large",
    description="Largest gap between a class's mean probability and its share of the labels.",
    interval="none",
    weighs_classes=True,
)
