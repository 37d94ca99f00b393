"""The predicted class, how sure the model is of it, and whether it is true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.metrics.weighting import Confidence, Correct
from pipeline.shapes import Labels, LogProbabilities


@dataclass(frozen=True)
class TopLabel:
    """Each case's predicted class: the most probable, the lowest index where several tie."""

    predicted: Labels
    confidence: Confidence
    correct: Correct


def top_label(log_probabilities: LogProbabilities, labels: Labels) -> TopLabel:
    r"""Return each case's predicted class, its probability, and whether it is the label.

    .. math:: c_i = \max_k p_{ik}, \qquad a_i = 1[\arg\max_k p_{ik} = y_i]

    Confidence is cut at 1, which a logarithm rounded up may exceed in the last place.

    >>> top = top_label(np.log([[0.25, 0.75], [0.5, 0.5]]), np.array([1, 1]))
    >>> top.predicted, top.confidence, top.correct
    (array([1, 0]), array([0.75, 0.5 ]), array([ True, False]))
    """
    predicted = log_probabilities.argmax(axis=1)
    # A flat index gathers in half the time of a pair of indices.
    flat = np.arange(len(predicted)) * log_probabilities.shape[1] + predicted
    highest = log_probabilities.ravel()[flat].astype(np.float64)
    confidence = np.minimum(np.exp(highest), 1.0)
    return TopLabel(predicted, confidence, predicted == labels)
