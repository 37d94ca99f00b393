"""Scores that say how sure a prediction is: higher means answer, lower means refer.

Each takes logits or log-probabilities. ``confidence``, ``margin`` and ``negative_entropy`` see
probabilities alone, so both give the same. ``max_logit`` and ``energy`` also see the constant that
the softmax cancels, which log-probabilities have lost: `calibrated_logits` restores it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax

from pipeline.errors import InputError
from pipeline.metrics.risk_sums import SelectionScores
from pipeline.shapes import Logits, LogProbabilities

NORMALISED_WITHIN = 1e-6
"""Rows whose logarithm of summed exponentials is all within this of zero are log-probabilities."""


def confidence(logits: Logits) -> SelectionScores:
    """Return the probability of the predicted class, in [1/K, 1].

    >>> confidence(np.log([[0.75, 0.25]]))
    array([0.75])
    """
    return softmax(_in_order(logits), axis=1).max(axis=1)


def margin(logits: Logits) -> SelectionScores:
    """Return the probability of the predicted class less that of the second, in [0, 1].

    >>> margin(np.log([[0.5, 0.125, 0.375]]))
    array([0.125])
    """
    probabilities = softmax(_in_order(logits), axis=1)
    return probabilities[:, -1] - probabilities[:, -2]


def negative_entropy(logits: Logits) -> SelectionScores:
    """Return sum_k p_k log p_k in nats, from -log K to 0; a probability of 0 adds nothing.

    >>> negative_entropy(np.zeros((1, 4))) == -np.log(4)
    array([ True])
    """
    log_probabilities = log_softmax(_in_order(logits), axis=1)
    probabilities = np.exp(log_probabilities)
    terms = np.zeros_like(probabilities)
    np.multiply(probabilities, log_probabilities, out=terms, where=probabilities > 0)
    return terms.sum(axis=1)


def max_logit(logits: Logits) -> SelectionScores:
    """Return the largest logit (Hendrycks et al., ICML 2022, arXiv:1911.11132).

    >>> max_logit(np.array([[2.0, -1.0]]))
    array([2.])
    """
    return _with_constant(logits, name="max_logit").max(axis=1)


def energy(logits: Logits) -> SelectionScores:
    """Return log sum_k exp z_k: the negative free energy at temperature 1.

    High for cases like those trained on (Liu et al., NeurIPS 2020, arXiv:2010.03759, equation 4).

    >>> energy(np.log([[3.0, 5.0]])) == np.log(8)
    array([ True])
    """
    return logsumexp(_with_constant(logits, name="energy"), axis=1)


SELECTION_SCORES: dict[str, Callable[[Logits], SelectionScores]] = {
    "confidence": confidence,
    "margin": margin,
    "negative_entropy": negative_entropy,
    "max_logit": max_logit,
    "energy": energy,
}


NEED_LOGITS = ("max_logit", "energy")
"""Scores that say nothing of log-probabilities."""


def calibrated_logits(logits: Logits, log_probabilities: LogProbabilities) -> Logits:
    r"""Return logits whose softmax is the calibrated one, with the constant restored.

    A calibrator returns log-probabilities, and log-softmax has removed each row's constant. Where
    it divided a row by a temperature T, that constant was the row's mean logit over T, and 1/T is
    the slope of the log-probabilities on the logits:

    .. math:: z'_{ik} = \log p_{ik} - \overline{\log p_i} + b_i \bar z_i, \qquad
              b_i = \frac{\sum_k (z_{ik} - \bar z_i) \log p_{ik}}{\sum_k (z_{ik} - \bar z_i)^2}

    So the result is z / T exactly for every calibrator that gives each row a temperature of its
    own, and the closest such row (least squares) for one that also moves classes.

    Rows with equal logits have no temperature to be seen; they keep their mean.

    The log-probabilities are the calibrator's, and finite.

    >>> logits = np.array([[3.0, 1.0, 5.0]])
    >>> calibrated_logits(logits, log_softmax(logits / 2, axis=1)).round(12)
    array([[1.5, 0.5, 2.5]])
    """
    if logits.shape != log_probabilities.shape:
        message = f"expected one shape, got {logits.shape} and {log_probabilities.shape}"
        raise InputError(message)
    raw, calibrated = _float64(logits), _float64(log_probabilities)
    mean = raw.mean(axis=1, keepdims=True)
    spread = ((raw - mean) ** 2).sum(axis=1, keepdims=True)
    slope = np.ones_like(mean)
    covariance = ((raw - mean) * calibrated).sum(axis=1, keepdims=True)
    np.divide(covariance, spread, out=slope, where=spread > 0)
    return calibrated - calibrated.mean(axis=1, keepdims=True) + slope * mean


def are_log_probabilities(logits: Logits) -> bool:
    """Return whether every row's exponentials sum to one, so that its constant is lost.

    >>> are_log_probabilities(np.log([[0.5, 0.5]])), are_log_probabilities(np.array([[2.0, 1.0]]))
    (True, False)
    """
    return bool((np.abs(logsumexp(_float64(logits), axis=1)) < NORMALISED_WITHIN).all())


def _float64(logits: Logits) -> Logits:
    return np.asarray(logits, dtype=np.float64)


def _in_order(logits: Logits) -> Logits:
    """Return each row from low to high: cases that differ in the order of classes alone tie."""
    return np.sort(_float64(logits), axis=1)


def _with_constant(logits: Logits, *, name: str) -> Logits:
    """Refuse log-probabilities: their energy is 0 for every case, which says nothing."""
    if are_log_probabilities(logits):
        message = f"{name} needs logits, got log-probabilities: restore them by calibrated_logits"
        raise InputError(message)
    return _in_order(logits)
