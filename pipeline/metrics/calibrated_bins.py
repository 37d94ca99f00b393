"""What chance alone does to each bin of a calibrated model, a patient's cases taken together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.metrics.bins import Bins, width_bins
from pipeline.metrics.cases import Cases
from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import Confidence, Correct, Patients
from pipeline.shapes import require_same_length

LEAST_OVERDISPERSION = 1e-9
"""Below it a beta-binomial is the binomial, and its formula loses digits."""

MOST_OVERDISPERSION = 0.999
"""A bin of one patient's copies is all right or all wrong: nearly so has a distribution still."""

MissChances = Float[np.ndarray, "misses"]
"""The chance of 0, 1, ... misses: sums to one."""


@dataclass(frozen=True)
class CalibratedBins:
    """How many cases of each bin a calibrated model would get wrong."""

    counts: Int[np.ndarray, "bins"]
    expected: Float[np.ndarray, "bins"]
    """The sum of one minus confidence."""
    variance: Float[np.ndarray, "bins"]
    """Of the number wrong; larger where a patient's cases are right and wrong together."""
    correlation: float
    """Of being right between two cases of one patient in one bin, in [0, 1]."""

    def chances(self) -> Iterator[MissChances]:
        """Yield each bin's distribution of misses; an empty bin has none for certain.

        A beta-binomial of the bin's mean and variance; the binomial where patients add nothing.
        """
        for count, expected, variance in zip(
            self.counts.tolist(), self.expected.tolist(), self.variance.tolist(), strict=True
        ):
            yield _beta_binomial(count, expected, variance)


def calibrated_bins(
    confidence: Confidence, correct: Correct, patients: Patients, bins: Bins
) -> CalibratedBins:
    r"""Return what a calibrated model of these confidences and patients would get wrong by bin.

    Whether case i is right has variance :math:`v_i = c_i (1 - c_i)`; two cases of one patient in
    one bin have the correlation :math:`\rho`, estimated from the residuals :math:`r` of all such
    pairs, less their bin's mean, so that a gap of the bin does not pass for dependence:

    .. math:: \mathrm{Var}_b = \sum_i v_i + \rho \sum_{i \ne j} \sqrt{v_i v_j}, \qquad
              \rho = \frac{\sum_{i \ne j} r_i r_j}{\sum_{i \ne j} \sqrt{v_i v_j}}

    Nothing is drawn, and nothing depends on the order of the cases, not even a last digit.

    Correctness is read for the correlation alone.

    References
    ----------
    Liang and Zeger, Biometrika 73 (1986), section 3.3, the exchangeable correlation; Williams,
    Biometrics 31 (1975), the beta-binomial for littermates.
    """
    require_same_length(confidence=confidence, correct=correct, patients=patients)
    confidence = np.asarray(confidence, dtype=np.float64)
    patient = np.unique(patients, return_inverse=True)[1].reshape(-1)
    # Sums are rounded in the order of their terms: this one does not depend on the rows'.
    order = np.lexsort((np.asarray(correct), confidence, patient))
    numbers, confidence = bins.numbers()[order], confidence[order]
    residuals = np.asarray(correct, dtype=np.float64)[order] - confidence
    variances = confidence * (1.0 - confidence)

    def by_bin(values: Float[np.ndarray, "cases"]) -> Float[np.ndarray, "bins"]:
        return np.bincount(numbers, values, bins.num_bins)

    counts = np.bincount(numbers, minlength=bins.num_bins)
    residuals -= (by_bin(residuals) / np.maximum(counts, 1))[numbers]
    # Each patient's cases of one bin, and the sum over all ordered pairs of two of them.
    own, first, cell = np.unique(
        patient[order] * bins.num_bins + numbers, return_index=True, return_inverse=True
    )
    possible, found = (
        np.bincount(numbers[first], _pair_sums(values, cell, len(own)), bins.num_bins)
        for values in (np.sqrt(variances), residuals)
    )
    num_patients = np.bincount(numbers[first], minlength=bins.num_bins)
    correlation = _correlation(found, possible, num_patients)
    variance = by_bin(variances) + correlation * possible
    return CalibratedBins(counts, by_bin(1.0 - confidence), variance, correlation)


def _correlation(
    found: Float[np.ndarray, "bins"],
    possible: Float[np.ndarray, "bins"],
    num_patients: Int[np.ndarray, "bins"],
) -> float:
    """Return the share of the products of residuals that were possible, within [0, 1].

    Taking off a bin's mean takes one of its patients off as well; a single one tells nothing.
    """
    several = num_patients > 1
    total = possible[several].sum()
    if total == 0:
        return 0.0
    lost = num_patients[several] / (num_patients[several] - 1.0)
    return float(np.clip((found[several] * lost).sum() / total, 0.0, 1.0))


def _pair_sums(
    values: Float[np.ndarray, "cases"], cell: Int[np.ndarray, "cases"], num_cells: int
) -> Float[np.ndarray, "cells"]:
    """Return each cell's sum of products over ordered pairs; exactly zero for a single case."""
    sums = np.bincount(cell, values, num_cells) ** 2 - np.bincount(cell, values**2, num_cells)
    return np.where(np.bincount(cell, minlength=num_cells) > 1, sums, 0.0)


def _beta_binomial(count: int, expected: float, variance: float) -> MissChances:
    # Imported here, because it takes longer than the rest of the package together.
    from scipy.special import betaln, xlog1py, xlogy  # noqa: PLC0415

    misses = np.arange(count + 1.0)
    share = min(max(expected / max(count, 1), 0.0), 1.0)
    binomial_variance = count * share * (1.0 - share)
    hits = count - misses
    ways = -np.log(count + 1.0) - betaln(misses + 1.0, hits + 1.0)
    overdispersion = 0.0
    if count > 1 and binomial_variance > 0:
        overdispersion = (variance / binomial_variance - 1.0) / (count - 1)
    if overdispersion < LEAST_OVERDISPERSION:
        return np.exp(ways + xlogy(misses, share) + xlog1py(hits, -share))
    size = 1.0 / min(overdispersion, MOST_OVERDISPERSION) - 1.0
    wrong, right = share * size, (1.0 - share) * size
    return np.exp(ways + betaln(misses + wrong, hits + right) - betaln(wrong, right))


def expected_ece_if_calibrated(cases: Cases, patients: Patients) -> float:
    r"""Return the mean ECE of these very confidences if the model were calibrated, in [0, 1].

    ECE takes the absolute value of noise, so it is above zero for a calibrated model: about 4 % for
    200 cases, 2 % for 1,000, and more where a patient's cases are right and wrong together. Beside
    a model's ECE this says how much of it means anything; and the ECE of any model is, on average,
    at most so much above its true one.

    .. math:: \frac1n \sum_b E |W_b - E W_b|

    with W the number of wrong cases in a bin, of the distribution of `calibrated_bins`.

    Being right is read for the correlation within a patient alone.

    >>> from pipeline.metrics.cases import prepare_cases
    >>> one = prepare_cases(np.log(np.full((1, 2), 0.5)), np.array([0]))
    >>> expected_ece_if_calibrated(one, np.array(["a"]))
    0.5
    """
    bins = width_bins(cases.confidence, cases.num_bins)
    ideal = calibrated_bins(cases.confidence, cases.correct, patients, bins)
    deviations = [
        chances @ np.abs(np.arange(len(chances)) - expected)
        for chances, expected in zip(ideal.chances(), ideal.expected, strict=True)
    ]
    return float(np.sum(deviations) / len(cases.confidence))


ECE_IF_CALIBRATED = Metric(
    name="ece_if_calibrated",
    function=expected_ece_if_calibrated,
    kind="calibration",
    better="none",
    label="ECE if calibrated",
    description="ECE that a calibrated model of these confidences would score by chance.",
    interval="none",
)
