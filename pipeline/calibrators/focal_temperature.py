"""Focal temperature scaling: undo what a focal loss does to a posterior, at a temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from pipeline.calibrators.calibrator import checked_cases, checked_logits
from pipeline.calibrators.roots import LOG_TEMPERATURE_BOUNDS
from pipeline.calibrators.softmax import log_softmax
from pipeline.calibrators.temperature import fit_temperature
from pipeline.shapes import Labels, Logits, LogProbabilities

MINIMUM_CASES = 2
HIGHEST_GAMMA = 10.0
BOUNDS = (LOG_TEMPERATURE_BOUNDS, (0.0, HIGHEST_GAMMA))
SMALLEST = float(np.finfo(np.float64).tiny)
NEARLY_CERTAIN = -1e-12
STARTING_GAMMAS = (0.0, 1.0, 3.0)
"""The likelihood need not be unimodal in temperature and gamma together: the best of three ends."""


@dataclass(frozen=True)
class FocalTemperature:
    """Soften or sharpen by ``temperature``, then take the posterior that a focal loss hides."""

    preserves_argmax: ClassVar[bool] = True

    temperature: float
    gamma: float
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        return focal_map(log_softmax(checked_logits(logits), self.temperature), self.gamma)


def focal_map(log_p: LogProbabilities, gamma: float) -> LogProbabilities:
    r"""Return the log of the posterior whose minimiser of the focal risk is p, (n, classes).

    .. math:: q_k \propto \frac{p_k}{(1 - p_k)^\gamma - \gamma (1 - p_k)^{\gamma - 1} p_k \log p_k}

    q is surer than p and keeps its order; gamma 0 changes nothing.

    >>> p = focal_map(np.log([[0.25, 0.75]]), gamma=1.0)
    >>> np.exp(p).round(4)  # of 0.25 / (0.75 + 0.25 log 4) and 0.75 / (0.25 + 0.75 log(4/3))
    array([[0.124, 0.876]])
    """
    rest = np.maximum(-np.expm1(log_p), SMALLEST)
    # -log p / (1 - p) is 1 where p is 1, and p (-log p) is 0 where p is 0.
    bend = np.exp(log_p) * np.where(log_p > NEARLY_CERTAIN, 1.0, -log_p / rest)
    return log_softmax(log_p - gamma * np.log(rest) - np.log1p(gamma * bend))


def fit_focal_temperature(logits: Logits, labels: Labels) -> FocalTemperature:
    r"""Fit temperature and gamma together by least negative log-likelihood.

    .. math:: \log p(z) = \log \mathrm{focal}_\gamma(\mathrm{softmax}(z / T)),
              \qquad 0.05 \le T \le 20, \quad 0 \le \gamma \le 10

    Accuracy is unchanged, because the arg-max of a row is; the order of cases may change. ``notes``
    tells of a value at its bound.

    References
    ----------
    Komisarenko and Kull, ECAI 2024, arXiv:2408.11598; the map is that of Charoenphakdee et al.,
    CVPR 2021, arXiv:2011.09172. The bounds are ours.
    """
    logits, labels = checked_cases(logits, labels, at_least=MINIMUM_CASES)
    cases = np.arange(len(labels))

    def loss(point: Float[np.ndarray, "2"]) -> float:
        fitted = FocalTemperature(float(np.exp(point[0])), float(point[1]))
        return -float(fitted(logits)[cases, labels].mean())

    plain = float(np.log(fit_temperature(logits, labels).temperature))
    starts = [np.array([plain + np.log1p(gamma), gamma]) for gamma in STARTING_GAMMAS]
    ends = [
        minimize(
            loss,
            np.clip(start, *np.transpose(BOUNDS)),
            method="L-BFGS-B",
            bounds=BOUNDS,
            options={"gtol": 1e-8, "ftol": 1e-12},
        )
        for start in starts
    ]
    # Where the cases decide nothing between them, plain temperature scaling.
    log_temperature, gamma = min([starts[0], *(end.x for end in ends)], key=loss)
    return FocalTemperature(
        float(np.exp(log_temperature)), float(gamma), _notes(log_temperature, gamma)
    )


def _notes(log_temperature: float, gamma: float) -> tuple[str, ...]:
    lowest, highest = LOG_TEMPERATURE_BOUNDS
    found = {
        "temperature at its bound 0.05": log_temperature <= lowest,
        "temperature at its bound 20": log_temperature >= highest,
        "gamma at its bound 10": gamma >= HIGHEST_GAMMA,
    }
    return tuple(note for note, at_bound in found.items() if at_bound)
