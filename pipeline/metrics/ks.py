"""Kolmogorov-Smirnov calibration error: no bins, the largest gap of two running totals."""

from __future__ import annotations

import numpy as np

from pipeline.metrics.bins import require_confidence
from pipeline.metrics.metric import Metric
from pipeline.metrics.ranking import stable_order
from pipeline.metrics.weighting import (
    Confidence,
    Correct,
    Estimates,
    Weights,
    case_weights,
    smallest_counts,
)


def ks_calibration_error(
    confidence: Confidence, correct: Correct, *, weights: Weights | None = None
) -> Estimates:
    r"""Return the largest gap between cumulated confidence and cumulated accuracy, in [0, 1].

    .. math:: \max_t \Big| \frac1n \sum_{i: c_i \le t} (a_i - c_i) \Big|

    Equal confidences enter together, so the order of the cases does not matter.

    References
    ----------
    Gupta et al., ICLR 2021, arXiv:2006.12800, section 3.1.

    Examples
    --------
    >>> confidence, correct = np.array([0.5, 0.75, 1.0]), np.array([1, 0, 1])
    >>> round(float(ks_calibration_error(confidence, correct)), 12)  # totals 1/2, -1/4, -1/4
    0.166666666667
    """
    require_confidence(confidence)
    weights = case_weights(weights, len(confidence))
    confidence = np.asarray(confidence, dtype=np.float64)
    order = stable_order(confidence)
    residual = (correct - confidence)[order]
    last_of_equals = np.append(np.diff(confidence[order]) > 0, True)
    ordered = np.take(smallest_counts(weights), order, axis=-1)
    totals = np.cumsum(ordered * residual, axis=-1)
    gaps = np.abs(totals, out=totals)
    return gaps.max(axis=-1, where=last_of_equals, initial=0.0) / weights.sum(axis=-1)


KS_CALIBRATION_ERROR = Metric(
    name="ks_calibration_error",
    function=ks_calibration_error,
    kind="calibration",
    better="lower",
    label="KS error",
    description="Largest gap between cumulated confidence and cumulated accuracy.",
    interval="none",
)
