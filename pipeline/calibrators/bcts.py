"""Bias-corrected temperature scaling: one temperature and a bias for every class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.calibrators.calibrator import checked_cases, checked_logits
from pipeline.calibrators.log_linear import LinearScores, Parameters, fit_log_linear, weak_prior
from pipeline.calibrators.roots import TEMPERATURE_BOUNDS
from pipeline.calibrators.softmax import log_softmax
from pipeline.shapes import Labels, Logits, LogProbabilities

MOST_NAMED = 5


@dataclass(frozen=True)
class BiasCorrectedTemperature:
    """Divide logits by ``temperature``, add ``biases``, then apply the log-softmax."""

    preserves_argmax: ClassVar[bool] = False

    temperature: float
    biases: tuple[float, ...]
    """One a class, in nats; their mean is zero."""
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        logits = checked_logits(logits, num_classes=len(self.biases))
        return log_softmax(log_softmax(logits) / self.temperature + np.asarray(self.biases))


def fit_bcts(logits: Logits, labels: Labels) -> BiasCorrectedTemperature:
    r"""Fit temperature and class biases of least negative log-likelihood.

    .. math:: \min_{T, b} \frac1n \sum_i -\log \mathrm{softmax}(z_i / T + b)_{y_i}

    Convex in 1/T and b. A normal prior of deviation 10 nats on each bias and on 1/T - 1 keeps a
    class without a case finite.

    The biases may change the arg-max, hence accuracy. T is kept within [0.05, 20]; one at its bound
    and classes without a case are named in ``notes``.

    References
    ----------
    Alexandari, Kundaje, Shrikumar, ICML 2020, arXiv:1901.06852, section 3.
    """
    logits, labels = checked_cases(logits, labels)
    num_classes = logits.shape[1]
    scores = LinearScores(
        forward=lambda parameters, inputs: parameters[0] * inputs + parameters[1:],
        backward=_backward,
    )
    sharpest, widest = TEMPERATURE_BOUNDS
    inverse_bounds = (1.0 / widest, 1.0 / sharpest)
    parameters, notes = fit_log_linear(
        log_softmax(logits),
        labels,
        scores,
        weak_prior(np.append(1.0, np.zeros(num_classes)), len(labels)),
        bounds=[inverse_bounds, *[(-np.inf, np.inf)] * num_classes],
    )
    biases = parameters[1:] - parameters[1:].mean()
    temperature = float(1.0 / parameters[0])
    if np.isclose(temperature, TEMPERATURE_BOUNDS, rtol=1e-9, atol=0).any():
        notes += (f"temperature at its bound {temperature:.3g}",)
    notes += absent_notes(labels, num_classes)
    return BiasCorrectedTemperature(temperature, tuple(biases.tolist()), notes)


def _backward(derivatives: Logits, inputs: LogProbabilities) -> Parameters:
    by_inverse_temperature = np.einsum("ij,ij->", derivatives, inputs)
    return np.append(by_inverse_temperature, derivatives.sum(axis=0))


def absent_notes(labels: Labels, num_classes: int) -> tuple[str, ...]:
    """Name the classes that no calibration case belongs to.

    >>> absent_notes(np.array([0, 2]), 4)
    ('no calibration case of class 1, 3',)
    """
    absent = np.flatnonzero(np.bincount(labels, minlength=num_classes) == 0)
    if len(absent) > MOST_NAMED:
        return (f"no calibration case of {len(absent)} of {num_classes} classes",)
    names = ", ".join(map(str, absent))
    return (f"no calibration case of class {names}",) if names else ()
