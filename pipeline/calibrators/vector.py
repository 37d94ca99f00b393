"""Vector scaling: a slope and a bias for every class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.calibrators.bcts import absent_notes
from pipeline.calibrators.calibrator import (
    checked_cases,
    checked_logits,
    few_cases_notes,
)
from pipeline.calibrators.log_linear import LinearScores, fit_log_linear, weak_prior
from pipeline.calibrators.softmax import log_softmax
from pipeline.shapes import Labels, Logits, LogProbabilities


@dataclass(frozen=True)
class VectorScaling:
    """Multiply log-probabilities by ``slopes``, add ``biases``, then apply the log-softmax."""

    preserves_argmax: ClassVar[bool] = False

    slopes: tuple[float, ...]
    biases: tuple[float, ...]
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        logits = checked_logits(logits, num_classes=len(self.slopes))
        return log_softmax(log_softmax(logits) * np.asarray(self.slopes) + np.asarray(self.biases))


def fit_vector(logits: Logits, labels: Labels) -> VectorScaling:
    r"""Fit class slopes and biases of least negative log-likelihood.

    .. math:: \min_{w, b} \frac1n \sum_i -\log \mathrm{softmax}(w \odot \log p_i + b)_{y_i}

    with p the uncalibrated softmax: on raw logits, as in the source, the fit would depend on the
    constant that a row of logits leaves free. Convex. A normal prior of deviation 10 on each
    w_k - 1 and b_k keeps separable and absent classes finite.

    May change the arg-max, hence accuracy. Too few cases and classes without any are named in
    ``notes``.

    References
    ----------
    Guo et al., ICML 2017, arXiv:1706.04599, section 4.2.
    """
    logits, labels = checked_cases(logits, labels)
    num_classes = logits.shape[1]
    scores = LinearScores(
        forward=lambda parameters, inputs: (
            parameters[:num_classes] * inputs + parameters[num_classes:]
        ),
        backward=lambda derivatives, inputs: np.concatenate(
            [np.einsum("ij,ij->j", derivatives, inputs), derivatives.sum(axis=0)]
        ),
    )
    centre = np.repeat([1.0, 0.0], num_classes)
    parameters, notes = fit_log_linear(
        log_softmax(logits), labels, scores, weak_prior(centre, len(labels))
    )
    slopes, biases = parameters[:num_classes].tolist(), parameters[num_classes:].tolist()
    notes += few_cases_notes("vector", len(labels), num_classes)
    return VectorScaling(tuple(slopes), tuple(biases), notes + absent_notes(labels, num_classes))
