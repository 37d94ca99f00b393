"""Entropy-based temperature scaling: unsure cases get another temperature than sure ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from pipeline.calibrators.calibrator import checked_cases, checked_logits
from pipeline.calibrators.piecewise import CalibrationSet
from pipeline.calibrators.roots import LOG_TEMPERATURE_BOUNDS, solve_log_temperatures
from pipeline.calibrators.softmax import log_softmax, row_blocks
from pipeline.shapes import Labels, Logits, LogProbabilities

MINIMUM_CASES = 2

LOWEST_LOG_ENTROPY = -30.0
"""Below it the entropy of a saturated softmax is rounding noise."""

STEEPEST_SLOPE = 10.0
STARTING_SLOPES = (0.0, -0.5, 0.5)
"""The likelihood need not be unimodal in intercept and slope together: the best of three ends."""


@dataclass(frozen=True)
class EntropyTemperature:
    r"""Divide each case's logits by :math:`T = \exp(a + b \log \bar H)`, kept within [0.05, 20].

    :math:`\bar H` is the entropy of the uncalibrated softmax over that of equal probabilities.
    """

    preserves_argmax: ClassVar[bool] = True

    intercept: float
    """log T of a case with equal probabilities."""
    slope: float
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        logits = checked_logits(logits)
        line = self.intercept + self.slope * log_normalised_entropy(logits)
        return log_softmax(logits, np.exp(np.clip(line, *LOG_TEMPERATURE_BOUNDS)))


def fit_hts(logits: Logits, labels: Labels) -> EntropyTemperature:
    r"""Fit log T, linear in the logarithm of normalised entropy, by least negative log-likelihood.

    .. math:: \log T(z) = a + b \log \bar H(z), \qquad
              \bar H(z) = -\frac{1}{\log K} \sum_k p_k \log p_k, \quad p = \mathrm{softmax}(z)

    Accuracy is unchanged, because the arg-max of a row is; the order of cases may change. ``notes``
    tells of calibration cases whose T stopped at a bound, [0.05, 20].

    References
    ----------
    Balanya, Maronas, Ramos, arXiv:2208.00461 (HTS; there T is the softplus of the line, here its
    exponential, so that plain temperature scaling is b = 0).
    """
    logits, labels = checked_cases(logits, labels, at_least=MINIMUM_CASES)
    calibration = CalibrationSet.of(logits, labels)
    log_entropy = log_normalised_entropy(logits)
    cases = np.arange(len(labels))
    lowest, highest = LOG_TEMPERATURE_BOUNDS

    def loss(line: Float[np.ndarray, "2"]) -> tuple[float, Float[np.ndarray, "2"]]:
        wanted = line[0] + line[1] * log_entropy
        log_temperatures = np.clip(wanted, lowest, highest)
        terms, _, _ = calibration.likelihood(cases, np.exp(-log_temperatures))
        by_line = np.where(wanted == log_temperatures, -terms * np.exp(-log_temperatures), 0.0)
        value = calibration.negative_log_likelihoods(cases, log_temperatures).mean()
        return float(value), np.array([by_line.mean(), (by_line * log_entropy).mean()])

    in_one = np.zeros(len(labels), dtype=np.intp)
    plain = solve_log_temperatures(calibration.likelihood, in_one, num_groups=1).log_temperatures[0]
    bounds = [(2 * lowest, 2 * highest), (-STEEPEST_SLOPE, STEEPEST_SLOPE)]
    ends = [
        # Turned about the mean, so that each start is plain temperature scaling in the middle.
        minimize(
            loss,
            [plain - slope * log_entropy.mean(), slope],
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"gtol": 1e-9, "ftol": 1e-14},
        )
        for slope in STARTING_SLOPES
    ]
    intercept, slope = min(ends, key=lambda end: end.fun).x
    return _entropy_temperature(float(intercept), float(slope), log_entropy)


def _entropy_temperature(
    intercept: float, slope: float, log_entropy: Float[np.ndarray, "cases"]
) -> EntropyTemperature:
    line = intercept + slope * log_entropy
    lowest, highest = LOG_TEMPERATURE_BOUNDS
    notes = tuple(
        f"temperature at its bound {bound} in {num} of {len(line)} calibration cases"
        for bound, num in (("0.05", (line <= lowest).sum()), ("20", (line >= highest).sum()))
        if num
    )
    return EntropyTemperature(intercept, slope, notes)


def log_normalised_entropy(logits: Logits) -> Float[np.ndarray, "cases"]:
    """Return the log of each softmax's entropy over log(classes), at least -30, (n,).

    >>> log_normalised_entropy(np.zeros((1, 4)))
    array([0.])
    """
    result = np.empty(len(logits))
    for rows in row_blocks(*logits.shape):
        log_p = log_softmax(logits[rows])
        entropy = -(np.exp(log_p) * log_p).sum(axis=1) / np.log(logits.shape[1])
        result[rows] = np.log(np.maximum(entropy, np.exp(LOWEST_LOG_ENTROPY)))
    return result
