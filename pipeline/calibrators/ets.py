"""Ensemble temperature scaling: a mixture of scaled, unscaled and equal probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from pipeline.calibrators.calibrator import checked_cases, checked_logits
from pipeline.calibrators.piecewise import CalibrationSet
from pipeline.calibrators.roots import LOG_TEMPERATURE_BOUNDS
from pipeline.calibrators.softmax import log_softmax, row_blocks
from pipeline.calibrators.temperature import fit_temperature
from pipeline.shapes import Labels, Logits, LogProbabilities

MINIMUM_CASES = 2

SMALLEST_WEIGHT = 1e-6
"""Keeps the scaled part from drowning in the equal one (the arg-max) and logarithms finite."""


@dataclass(frozen=True)
class EnsembleTemperature:
    r"""Mix :math:`w_1 \mathrm{softmax}(z/T) + w_2 \mathrm{softmax}(z) + w_3 / K`."""

    preserves_argmax: ClassVar[bool] = True

    temperature: float
    weights: tuple[float, float, float]
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        logits = checked_logits(logits)
        scaled, unscaled, equal = self.weights
        result = np.empty(logits.shape)
        for rows in row_blocks(*logits.shape):
            mixture = scaled * np.exp(log_softmax(logits[rows], self.temperature))
            mixture += unscaled * np.exp(log_softmax(logits[rows]))
            mixture += equal / logits.shape[1]
            result[rows] = np.log(mixture / mixture.sum(axis=1, keepdims=True))
        return result


def fit_ets(logits: Logits, labels: Labels) -> EnsembleTemperature:
    r"""Fit temperature and mixture weights of least negative log-likelihood.

    .. math:: \min_{T, w} \frac1n \sum_i -\log\left( w_1 \mathrm{softmax}(z_i/T)_{y_i}
              + w_2 \mathrm{softmax}(z_i)_{y_i} + \frac{w_3}{K} \right)

    As in the source, T is found first, as in plain temperature scaling, and then the weights, a
    convex problem. From there all are refined together, which can only lower the loss.

    Accuracy is unchanged, because the arg-max of a row is; the order of cases may change. No weight
    is below 1e-6. A temperature at its bound is named in ``notes``.

    References
    ----------
    Zhang, Kailkhura, Han, ICML 2020, arXiv:2003.07329, section 4.2.
    """
    logits, labels = checked_cases(logits, labels, at_least=MINIMUM_CASES)
    log_temperature = float(np.log(fit_temperature(logits, labels).temperature))
    calibration = CalibrationSet.of(logits, labels)
    start = np.array([log_temperature, 0.8, 0.1, 0.1])
    two_steps = _minimise(calibration, start, (log_temperature, log_temperature))
    together = _minimise(calibration, two_steps, LOG_TEMPERATURE_BOUNDS)
    temperature = float(np.exp(together[0]))
    at_bound = np.isclose(together[0], LOG_TEMPERATURE_BOUNDS, rtol=0, atol=1e-9).any()
    notes = (f"temperature at its bound {temperature:.3g}",) if at_bound else ()
    scaled, unscaled, equal = (together[1:] / together[1:].sum()).tolist()
    return EnsembleTemperature(temperature, (scaled, unscaled, equal), notes)


def _minimise(
    calibration: CalibrationSet,
    start: Float[np.ndarray, "4"],
    log_temperature_bounds: tuple[float, float],
) -> Float[np.ndarray, "4"]:
    cases = np.arange(len(calibration.hits))
    num_classes = calibration.likelihood.logits.shape[1]
    unscaled = np.exp(-calibration.negative_log_likelihoods(cases, np.zeros(len(cases))))
    equal = np.full(len(cases), 1.0 / num_classes)

    def loss(point: Float[np.ndarray, "4"]) -> tuple[float, Float[np.ndarray, "4"]]:
        log_temperatures = np.full(len(cases), point[0])
        scaled = np.exp(-calibration.negative_log_likelihoods(cases, log_temperatures))
        parts = np.stack([scaled, unscaled, equal])
        mixture = point[1:] @ parts
        terms, _, _ = calibration.likelihood(cases, np.exp(-log_temperatures))
        by_log_temperature = -point[1] * np.exp(-point[0]) * (scaled * terms / mixture).mean()
        gradient = np.append(by_log_temperature, -(parts / mixture).mean(axis=1))
        return float(-np.log(mixture).mean()), gradient

    found = minimize(
        loss,
        start,
        jac=True,
        method="SLSQP",
        bounds=[log_temperature_bounds, *[(SMALLEST_WEIGHT, 1.0)] * 3],
        constraints={
            "type": "eq",
            "fun": lambda point: point[1:].sum() - 1.0,
            "jac": lambda _: np.array([0.0, 1.0, 1.0, 1.0]),
        },
        options={"ftol": 1e-12, "maxiter": 200},
    )
    # A search that failed must not undo the step before it.
    return found.x if found.fun <= loss(start)[0] else start
