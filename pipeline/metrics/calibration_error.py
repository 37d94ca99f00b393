"""Binned calibration errors: how far confidence and accuracy part, bin by bin."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pipeline.metrics.bins import BLOCK_CASES, NUM_BINS, Bins, mass_bins, width_bins
from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import Confidence, Correct, Estimates, Weights, case_weights
from pipeline.shapes import Labels, LogProbabilities


def ece(
    confidence: Confidence,
    correct: Correct,
    num_bins: int = NUM_BINS,
    *,
    weights: Weights | None = None,
) -> Estimates:
    r"""Return the expected calibration error over bins of equal width, in [0, 1].

    .. math:: \sum_b \frac{n_b}{n} |\mathrm{acc}_b - \mathrm{conf}_b|

    Zero only if every bin's mean confidence equals its accuracy. A calibrated model scores above
    zero on few cases: see `expected_ece_if_calibrated`.

    Bins are ``(j/B, (j+1)/B]``; confidence 0 falls into the first, confidence 1 into the last.

    Raises `InputError` if a confidence lies outside [0, 1].

    References
    ----------
    Naeini et al., AAAI 2015; Guo et al., ICML 2017, arXiv:1706.04599, equation 3.

    Examples
    --------
    >>> round(float(ece(np.array([0.9, 0.9, 0.6]), np.array([1, 0, 1]))), 12)  # (0.8 + 0.4) / 3
    0.4
    """
    if weights is not None:
        return _mean_gap(width_bins(confidence, num_bins), confidence, correct, weights)
    # Block by block, so that nothing as long as the cases is kept: twice as fast.
    starts = range(0, max(len(confidence), 1), BLOCK_CASES)
    blocks = [slice(start, start + BLOCK_CASES) for start in starts]
    sums = [_residual_sums(confidence[block], correct[block], num_bins) for block in blocks]
    return float(np.abs(np.sum(sums, axis=0)).sum() / len(confidence))


ECE = Metric(
    name="ece",
    function=ece,
    kind="calibration",
    better="lower",
    label="ECE",
    description="Mean gap between confidence and accuracy over bins of equal width.",
    shown=("comparison", "ranking", "groups", "model_card", "metrics_file", "results"),
    interval="corrected",
)


def _residual_sums(
    confidence: Confidence, correct: Correct, num_bins: int
) -> Float[np.ndarray, "bins"]:
    weights = case_weights(None, len(confidence))
    return width_bins(confidence, num_bins).sums(_residuals(confidence, correct), weights)


def ada_ece(
    confidence: Confidence,
    correct: Correct,
    num_bins: int = NUM_BINS,
    *,
    weights: Weights | None = None,
) -> Estimates:
    r"""Return the calibration error over bins of equally many cases, in [0, 1].

    .. math:: \sum_b \frac{n_b}{n} |\mathrm{acc}_b - \mathrm{conf}_b|

    The list sorted by confidence is split as ``numpy.array_split`` does, but an edge that would cut
    a run of equal confidences moves to the run's end: the order of the cases decides nothing. Our
    choice: no public text says how ties at an edge fall. A case that counts several times is such
    a run. Arguments and errors as of `ece`.

    References
    ----------
    Nguyen & O'Connor, EMNLP 2015, arXiv:1508.05154; Mukhoti et al. 2020, arXiv:2002.09437.

    Examples
    --------
    >>> confidence, correct = np.array([0.9, 0.8, 0.6, 0.5]), np.array([1, 1, 0, 1])
    >>> round(float(ada_ece(confidence, correct, num_bins=2)), 12)  # (|1 - 1.1| + |2 - 1.7|) / 4
    0.1
    >>> tied = np.full(4, 0.75)  # one bin of four, whatever their order
    >>> float(ada_ece(tied, correct, num_bins=2)), float(ada_ece(tied, correct[::-1], num_bins=2))
    (0.0, 0.0)
    """
    return _mean_gap(mass_bins(confidence, num_bins), confidence, correct, weights)


ADA_ECE = Metric(
    name="ada_ece",
    function=ada_ece,
    kind="calibration",
    better="lower",
    label="AdaECE",
    description="Mean gap between confidence and accuracy over bins of equally many cases.",
    interval="none",
)


def mce(
    confidence: Confidence,
    correct: Correct,
    num_bins: int = NUM_BINS,
    *,
    weights: Weights | None = None,
) -> Estimates:
    """Return the largest gap between confidence and accuracy among bins of equal width.

    Bins without a case have no gap. Arguments and errors as of `ece`.

    References
    ----------
    Naeini et al., AAAI 2015; Guo et al., ICML 2017, arXiv:1706.04599, equation 5.

    Examples
    --------
    >>> round(float(mce(np.array([0.9, 0.6]), np.array([1, 0]))), 12)
    0.6
    """
    weights = case_weights(weights, len(confidence))
    bins = width_bins(confidence, num_bins)
    gaps = np.abs(bins.sums(_residuals(confidence, correct), weights))
    counts = bins.counts(weights)
    return np.divide(gaps, counts, out=np.zeros_like(gaps), where=counts > 0).max(axis=-1)


MCE = Metric(
    name="mce",
    function=mce,
    kind="calibration",
    better="lower",
    label="MCE",
    description="Largest gap between confidence and accuracy among bins of equal width.",
    interval="none",
)


def classwise_ece(
    log_probabilities: LogProbabilities,
    labels: Labels,
    num_bins: int = NUM_BINS,
    *,
    weights: Weights | None = None,
) -> Estimates:
    r"""Return the mean over classes of the ECE of :math:`p_k` against :math:`1[y = k]`.

    A class without a case counts too: its probabilities ought to be zero.

    References
    ----------
    Kull et al., NeurIPS 2019, arXiv:1910.12656, section 2; Nixon et al. 2019, arXiv:1904.01685.

    Examples
    --------
    >>> two_classes = np.log([[0.75, 0.25], [0.75, 0.25]])
    >>> round(float(classwise_ece(two_classes, np.array([0, 1]))), 12)  # (0.25 + 0.25) / 2
    0.25
    """
    # A logarithm rounded up may exceed probability 1 in the last place.
    probabilities = np.minimum(np.exp(log_probabilities.T.astype(np.float64, order="C")), 1.0)
    weights = case_weights(weights, len(labels))
    num_counted = weights.sum(axis=-1)
    errors = [
        _summed_gap(width_bins(column, num_bins), column, labels == k, weights) / num_counted
        for k, column in enumerate(probabilities)
    ]
    return np.mean(np.array(errors), axis=0)


CLASSWISE_ECE = Metric(
    name="classwise_ece",
    function=classwise_ece,
    kind="calibration",
    better="lower",
    label="Classwise ECE",
    description="Mean over classes of the calibration error of that class's probability.",
    shown=("comparison", "ranking", "metrics_file"),
    interval="none",
)


def _residuals(confidence: Confidence, correct: Correct) -> Float[np.ndarray, "cases"]:
    return correct - np.asarray(confidence, dtype=np.float64)


def _mean_gap(
    bins: Bins, confidence: Confidence, correct: Correct, weights: Weights | None
) -> Estimates:
    weights = case_weights(weights, len(confidence))
    return _summed_gap(bins, confidence, correct, weights) / weights.sum(axis=-1)


def _summed_gap(
    bins: Bins, confidence: Confidence, correct: Correct, weights: Weights
) -> Estimates:
    # n_b |acc_b - conf_b| is the absolute sum of the bin's residuals: no bin is divided by zero.
    return np.abs(bins.sums(_residuals(confidence, correct), weights)).sum(axis=-1)
