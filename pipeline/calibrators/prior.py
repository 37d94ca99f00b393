"""Prior correction: class biases that make the mean prediction equal the prevalence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from pipeline.arguments import one_of
from pipeline.calibrators.ats import fit_ats
from pipeline.calibrators.bcts import absent_notes
from pipeline.calibrators.calibrator import (
    Calibrator,
    checked_cases,
    checked_logits,
)
from pipeline.calibrators.softmax import log_softmax, row_blocks
from pipeline.calibrators.temperature import fit_temperature
from pipeline.errors import InputError
from pipeline.shapes import Labels, Logits, LogProbabilities

LARGEST_BIAS = 20.0
"""In nats. Saturated predictions can need any bias to move: what is not reached is reported."""

REACHED = 1e-4

FOLLOWERS: dict[str, Callable[..., Calibrator]] = {"temperature": fit_temperature, "ats": fit_ats}


@dataclass(frozen=True)
class PriorCorrection:
    """Add ``biases`` to logits, then calibrate by ``then`` or, if None, apply the log-softmax."""

    preserves_argmax: ClassVar[bool] = False

    biases: tuple[float, ...]
    """One a class, in nats; their mean is zero."""
    prevalence: tuple[float, ...]
    """What the mean prediction was made equal to, before ``then``."""
    then: Calibrator | None = None
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        logits = checked_logits(logits, num_classes=len(self.biases))
        corrected = log_softmax(log_softmax(logits) + np.asarray(self.biases))
        return corrected if self.then is None else self.then(corrected)


def fit_prior(
    logits: Logits,
    labels: Labels,
    *,
    prevalence: str | Sequence[float] = "calibration",
    then: str | None = None,
) -> PriorCorrection:
    r"""Fit class biases that give the mean prediction a stated prevalence.

    .. math:: \frac1n \sum_i \mathrm{softmax}(z_i + b)_k = \pi_k \quad \text{for every class } k,
              \qquad \sum_k b_k = 0

    b minimises the convex :math:`\frac1n \sum_i \log \sum_k e^{z_{ik} + b_k} - \pi \cdot b`.
    Generative cross-entropy can leave the mean prediction free where predictions hardly depend on
    the image.

    The biases may change the arg-max, hence accuracy. A share not reached with biases within 20
    nats is named in ``notes``.

    Raises `InputError` if the prevalence is not a distribution over the classes, or the cases are
    not fit for fitting.

    Parameters
    ----------
    prevalence : "calibration" or list of float
        The labels' own shares, or those of another site: one positive share a class, summing to 1.
        A class without a calibration case is given the share of half a case.
    then : {None, "temperature", "ats"}
        Calibrator fitted after the correction. It is always fitted at the labels' own
        prevalence, the only one at which they can tell of over-confidence, and then applied at the
        stated one.

    Examples
    --------
    Predictions of one half, of which three in four should be class 0: odds of 3, half each way.

    >>> fitted = fit_prior(np.zeros((4, 2)), np.array([0, 0, 0, 1]))
    >>> np.round(np.exp(2 * np.array(fitted.biases)), 4)
    array([3.    , 0.3333])
    """
    logits, labels = checked_cases(logits, labels)
    one_of("then", then, (None, *FOLLOWERS))
    own = _shares(labels, logits.shape[1])
    stated = own if isinstance(prevalence, str) else np.asarray(prevalence, dtype=np.float64)
    _require_prevalence(prevalence, stated, logits.shape[1])
    inputs = log_softmax(logits)
    biases, notes = _solve_biases(inputs, stated)
    notes += absent_notes(labels, logits.shape[1])
    follower = None
    if then is not None:
        at_home = biases if stated is own else _solve_biases(inputs, own)[0]
        follower = FOLLOWERS[then](inputs + at_home, labels)
        notes += follower.notes
    return PriorCorrection(tuple(biases.tolist()), tuple(stated.tolist()), follower, notes)


def _shares(labels: Labels, num_classes: int) -> Float[np.ndarray, "classes"]:
    counts = np.maximum(np.bincount(labels, minlength=num_classes), 0.5)
    return counts / counts.sum()


def _require_prevalence(
    given: object, shares: Float[np.ndarray, "classes"], num_classes: int
) -> None:
    if isinstance(given, str):
        one_of("prevalence", given, ("calibration", "a list of shares"))
    sums_to_one = shares.shape == (num_classes,) and np.isclose(shares.sum(), 1.0, atol=1e-6)
    if not (sums_to_one and (shares > 0).all()):
        message = f"prevalence must be {num_classes} positive shares that sum to 1, got {given}"
        raise InputError(message)


def _solve_biases(
    inputs: LogProbabilities, prevalence: Float[np.ndarray, "classes"]
) -> tuple[Float[np.ndarray, "classes"], tuple[str, ...]]:
    start = np.log(prevalence) - np.log(np.maximum(mean_prediction(inputs), 1e-12))

    def objective(
        biases: Float[np.ndarray, "classes"],
    ) -> tuple[float, Float[np.ndarray, "classes"]]:
        total, mean = 0.0, np.zeros(len(biases))
        for rows in row_blocks(*inputs.shape):
            shifted = inputs[rows] + biases
            highest = shifted.max(axis=1, keepdims=True)
            weights = np.exp(shifted - highest)
            sums = weights.sum(axis=1, keepdims=True)
            total += (np.log(sums) + highest).sum()
            mean += (weights / sums).sum(axis=0)
        return total / len(inputs) - prevalence @ biases, mean / len(inputs) - prevalence

    found = minimize(
        objective,
        np.clip(start - start.mean(), -LARGEST_BIAS, LARGEST_BIAS),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-LARGEST_BIAS, LARGEST_BIAS)] * len(start),
        options={"ftol": 0.0, "gtol": 1e-10, "maxcor": 20, "maxiter": 1_000},
    )
    missed = np.flatnonzero(np.abs(found.jac) > REACHED)
    notes = tuple(
        f"mean prediction of class {k} is {prevalence[k] + found.jac[k]:.4f}, "
        f"not {prevalence[k]:.4f}: its bias is at its bound"
        for k in missed
    )
    return found.x - found.x.mean(), notes


def mean_prediction(log_probabilities: LogProbabilities) -> Float[np.ndarray, "classes"]:
    """Return the mean probability of each class over the cases."""
    total = np.zeros(log_probabilities.shape[1])
    for rows in row_blocks(*log_probabilities.shape):
        total += np.exp(log_probabilities[rows]).sum(axis=0)
    return total / len(log_probabilities)
