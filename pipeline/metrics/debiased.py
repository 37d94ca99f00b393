"""Calibration error in the L2 norm, without the bias that few cases a bin bring."""

from __future__ import annotations

import numpy as np

from pipeline.metrics.bins import NUM_BINS, mass_bins
from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import Confidence, Correct, Estimates, Weights, case_weights


def l2_calibration_error_debiased(
    confidence: Confidence,
    correct: Correct,
    num_bins: int = NUM_BINS,
    *,
    weights: Weights | None = None,
) -> Estimates:
    r"""Return the root mean squared gap over bins of equal mass, debiased, in [0, 1].

    .. math:: \sqrt{\max\Big(0, \sum_b \frac{n_b}{n} \Big[ (\mathrm{acc}_b - \mathrm{conf}_b)^2
              - \frac{\mathrm{acc}_b (1 - \mathrm{acc}_b)}{n_b - 1} \Big]\Big)}

    The second term is the sampling variance of a bin's accuracy, which the plain squared gap holds
    too much. A bin of one case has no such estimate and adds nothing, as in the authors' code.

    Zero for many a calibrated model, where `ece` never is.

    Bins are of equal mass, as in `ada_ece`: equal confidences share one.

    References
    ----------
    Kumar, Liang and Ma, NeurIPS 2019, arXiv:1909.10155, definition 5.1.

    Examples
    --------
    >>> correct = np.array([1, 1, 0, 0])
    >>> round(float(l2_calibration_error_debiased(np.full(4, 0.9), correct, 1)), 6)
    0.276887
    >>> round((0.4**2 - 0.5 * 0.5 / 3) ** 0.5, 6)
    0.276887
    """
    weights = case_weights(weights, len(confidence))
    bins = mass_bins(confidence, num_bins)
    counts = bins.counts(weights)
    hits = bins.sums(np.asarray(correct, dtype=np.float64), weights)
    gaps = bins.sums(correct - np.asarray(confidence, dtype=np.float64), weights)
    several = counts > 1
    # Two stands in where there is nothing to divide by; such a bin adds nothing below.
    counts = np.where(several, counts, 2.0)
    share = hits / counts
    excess = (gaps / counts) ** 2 - share * (1.0 - share) / (counts - 1.0)
    squared = np.where(several, counts * excess, 0.0).sum(axis=-1) / weights.sum(axis=-1)
    return np.sqrt(np.maximum(squared, 0.0))


L2_CALIBRATION_ERROR_DEBIASED = Metric(
    name="l2_calibration_error_debiased",
    function=l2_calibration_error_debiased,
    kind="calibration",
    better="lower",
    label="L2 error, debiased",
    description="Root mean squared gap over bins, less what chance alone would give.",
    interval="none",
)
