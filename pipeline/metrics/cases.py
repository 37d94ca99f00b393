"""Predictions checked once and laid out as the metrics take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.metrics.bins import NUM_BINS
from pipeline.metrics.top_label import top_label
from pipeline.metrics.weighting import Confidence, Correct
from pipeline.shapes import Labels, LogProbabilities, require_labels_in_range, require_same_length

SUM_TOLERANCE = 1e-3
"""A row's probabilities may miss one by this much: float32 rounding over thousands of classes."""


@dataclass(frozen=True)
class Cases:
    """What the metrics read of each case; fields bear the names of the metrics' arguments."""

    log_probabilities: LogProbabilities
    """Each row's exponentials sum to one; minus infinity is a probability of zero."""
    labels: Labels
    confidence: Confidence
    correct: Correct
    """Probability of the predicted class, and whether that is the label."""
    losses: Float[np.ndarray, "cases"]
    """1 where the predicted class is wrong, 0 where it is right."""
    num_bins: int


def prepare_cases(
    log_probabilities: LogProbabilities, labels: Labels, num_bins: int = NUM_BINS
) -> Cases:
    """Check predictions and derive confidence and correctness.

    Raises `InputError` if there is no case or fewer than two classes, lengths differ, a label is no
    whole number or has no column, or a row is not a row of log-probabilities.

    >>> prepare_cases(np.log([[0.75, 0.25]]), np.array([1])).losses
    array([1.])
    """
    require_same_length(log_probabilities=log_probabilities, labels=labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        message = f"labels must be whole numbers, one a case, got {labels.dtype} {labels.shape}"
        raise InputError(message)
    if log_probabilities.ndim != 2 or log_probabilities.shape[1] < 2:
        message = (
            "log_probabilities must be (cases, classes) with two classes or more, "
            f"got shape {log_probabilities.shape}"
        )
        raise InputError(message)
    require_labels_in_range(labels, num_classes=log_probabilities.shape[1])
    log_probabilities = np.asarray(log_probabilities, dtype=np.float64)
    require_log_probabilities(log_probabilities)
    top = top_label(log_probabilities, labels)
    losses = 1.0 - top.correct
    return Cases(log_probabilities, labels, top.confidence, top.correct, losses, num_bins)


def require_log_probabilities(log_probabilities: LogProbabilities) -> None:
    """Raise `InputError` unless each row's exponentials sum to one, within float32 rounding.

    >>> require_log_probabilities(np.array([[2.0, 1.0]]))
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: rows of log_probabilities must be logarithms of probabilities
    that sum to one, got 1 of 1 rows otherwise, first row 0 (sum 10.1073): were these logits?
    """
    # Logits may be large: cut where the exponential is absurd already, not where it overflows.
    sums = np.exp(np.minimum(log_probabilities, 10.0)).sum(axis=1)
    # A NaN compares false, so it is found here too.
    wrong = np.flatnonzero(~(np.abs(sums - 1.0) <= SUM_TOLERANCE))
    if len(wrong):
        message = (
            "rows of log_probabilities must be logarithms of probabilities that sum to one, "
            f"got {len(wrong)} of {len(sums)} rows otherwise, first row {wrong[0]} "
            f"(sum {sums[wrong[0]]:.6g}): were these logits?"
        )
        raise InputError(message)
