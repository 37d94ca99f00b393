"""The predicted class, how sure the model is of it, and whether it is true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.metrics.weighting import Confidence, Correct
from pipeline.shapes import Labels, LogProbabilities

FEW_CLASSES = 32
"""Up to so many, columns are walked faster than rows."""

BLOCK_CASES = 2**13
"""Cases looked at together: with ten classes 640 kB, which a second-level cache holds."""


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
    predicted, highest = _highest(log_probabilities)
    confidence = np.minimum(np.exp(highest), 1.0)
    return TopLabel(predicted, confidence, predicted == labels)


def _highest(values: LogProbabilities) -> tuple[Labels, Float[np.ndarray, "cases"]]:
    """Return the column of each row's first maximum, and that maximum as float64."""
    num_cases, num_columns = values.shape
    if num_columns > FEW_CLASSES:
        predicted = values.argmax(axis=1)
        # A flat index gathers in half the time of a pair of indices.
        flat = np.arange(num_cases) * num_columns + predicted
        return predicted, values.ravel()[flat].astype(np.float64)
    predicted, highest = np.empty(num_cases, dtype=np.intp), np.empty(num_cases)
    for start in range(0, num_cases, BLOCK_CASES):
        block = slice(start, start + BLOCK_CASES)
        columns = np.ascontiguousarray(values[block].T)
        maximum = columns.max(axis=0)
        # The first maximum stands behind as many columns as there are below it from the left.
        below = np.ones(len(maximum), dtype=bool)
        num_below = np.zeros(len(maximum), dtype=np.uint8)
        for column in columns[:-1]:
            below &= column < maximum
            num_below += below
        predicted[block], highest[block] = num_below, maximum
    return predicted, highest
