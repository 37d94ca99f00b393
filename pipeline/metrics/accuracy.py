"""How often the predicted class is the true one: over cases, and class by class."""

from __future__ import annotations

import numpy as np

from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import Estimates, Weights, case_weights, sums_by_bin, weighted_mean
from pipeline.shapes import Labels, LogProbabilities


def accuracy(
    log_probabilities: LogProbabilities, labels: Labels, *, weights: Weights | None = None
) -> Estimates:
    """Return the share of cases whose most probable class is their label, in [0, 1].

    >>> float(accuracy(np.log([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1])))
    0.5
    """
    correct = log_probabilities.argmax(axis=1) == labels
    return weighted_mean(correct.astype(np.float64), case_weights(weights, len(labels)))


ACCURACY = Metric(
    name="accuracy",
    function=accuracy,
    kind="accuracy",
    better="higher",
    label="Accuracy",
    description="Share of cases predicted right.",
    digits=1,
    shown=("comparison", "ranking", "groups", "model_card", "metrics_file", "results"),
)


def balanced_accuracy(
    log_probabilities: LogProbabilities, labels: Labels, *, weights: Weights | None = None
) -> Estimates:
    """Return the mean over the classes that occur of the share of their cases predicted right.

    A class without a case has no recall and is left out, as scikit-learn does.

    >>> three_classes = np.log([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    >>> float(balanced_accuracy(three_classes, np.array([0, 1, 1])))  # (1/1 + 1/2) / 2
    0.75
    """
    weights = case_weights(weights, len(labels))
    num_classes = log_probabilities.shape[1]
    correct = (log_probabilities.argmax(axis=1) == labels).astype(np.float64)
    support = sums_by_bin(labels, num_classes, 1.0, weights)
    hits = sums_by_bin(labels, num_classes, correct, weights)
    present = support > 0
    recall = np.divide(hits, support, out=np.zeros_like(hits), where=present)
    return recall.sum(axis=-1) / present.sum(axis=-1)


BALANCED_ACCURACY = Metric(
    name="balanced_accuracy",
    function=balanced_accuracy,
    kind="accuracy",
    better="higher",
    label="Balanced accuracy",
    description="Mean over classes of the share of a class's cases predicted right.",
    digits=1,
    shown=("model_card", "metrics_file"),
    weighs_classes=True,
)


def macro_f1(
    log_probabilities: LogProbabilities, labels: Labels, *, weights: Weights | None = None
) -> Estimates:
    r"""Return the mean over classes of the harmonic mean of precision and recall, in [0, 1].

    .. math:: F_k = \frac{2\,|\hat y = k, y = k|}{|\hat y = k| + |y = k|}

    The mean is over the classes that occur among labels or predictions, as in scikit-learn.

    >>> float(macro_f1(np.log([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1])))  # (2/3 + 0) / 2
    0.3333333333333333
    """
    weights = case_weights(weights, len(labels))
    num_classes = log_probabilities.shape[1]
    predicted = log_probabilities.argmax(axis=1)
    hits = sums_by_bin(labels, num_classes, (predicted == labels).astype(np.float64), weights)
    named = sums_by_bin(labels, num_classes, 1.0, weights)
    named += sums_by_bin(predicted, num_classes, 1.0, weights)
    occurs = named > 0
    f1 = np.divide(2.0 * hits, named, out=np.zeros_like(hits), where=occurs)
    return f1.sum(axis=-1) / occurs.sum(axis=-1)


MACRO_F1 = Metric(
    name="macro_f1",
    function=macro_f1,
    kind="accuracy",
    better="higher",
    label="Macro F1",
    description="Mean over classes of the harmonic mean of precision and recall.",
    digits=1,
    weighs_classes=True,
)
