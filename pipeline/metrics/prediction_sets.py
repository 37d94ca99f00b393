"""Prediction sets by split conformal prediction: classes that hold the true one so often.

A set with one class is an answer, a larger one says which classes are still open. The promise is
over repeated samples of calibration and test cases from one population, with the calibration cases
unseen by network and calibrator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
from jaxtyping import Bool, Float

from pipeline.errors import InputError
from pipeline.metrics.shares import Share, share
from pipeline.shapes import Labels, LogProbabilities, require_labels_in_range, require_same_length

PredictionSets = Bool[np.ndarray, "cases classes"]
"""Whether each class is in the case's set."""

ROUNDING = 1e-8
"""How far a class may miss the limit and still be in: rounding of a probability must not decide."""


@dataclass(frozen=True)
class SetScores:
    """How often sets hold the true class, and how large they are."""

    covered: Share
    """Cases whose set holds the true class: marginal coverage."""
    covered_by_class: list[Share]
    """The same among the cases of each true class: class-conditional coverage."""
    mean_size: float
    """Mean number of classes in a set."""
    single: Share
    empty: Share
    """Sets of one class, and of none."""


def marginal_sets(
    calibration: LogProbabilities, labels: Labels, log_probabilities: LogProbabilities, level: float
) -> PredictionSets:
    r"""Return sets that hold the true class in a share ``level`` of cases, over all classes.

    Class k is in the set when :math:`1 - p_k \le \hat q`, with q the
    :math:`\lceil (m + 1)\,\mathrm{level} \rceil`-th smallest :math:`1 - p_{y}` of the m calibration
    cases.

    Sets hold every class where there are too few calibration cases to leave one out. A set may be
    empty: no class is then likely enough.

    Raises `InputError` if the level lies outside (0, 1), lengths differ, or a label has no column.

    Parameters
    ----------
    calibration : float array, (m, classes)
        Log-probabilities of cases that neither network nor calibrator has seen.
    log_probabilities : float array, (n, classes)
        Predictions for which sets are wanted.
    level : float
        Share of cases whose set must hold the true class, in (0, 1).

    References
    ----------
    Sadinle, Lei and Wasserman, J. Am. Stat. Assoc. 114 (2019), arXiv:1609.00451, section 2.
    """
    _check(calibration, labels, log_probabilities, level)
    return _within(log_probabilities, _limit(calibration, labels, level))


def class_conditional_sets(
    calibration: LogProbabilities, labels: Labels, log_probabilities: LogProbabilities, level: float
) -> PredictionSets:
    """Return sets that hold the true class in a share ``level`` of the cases of every class.

    Class k is judged against the calibration cases of class k alone, so that a rare disease is not
    paid for by the common. A class with too few of them is in every set. Arguments and errors as
    for `marginal_sets`.

    References
    ----------
    Sadinle, Lei and Wasserman, J. Am. Stat. Assoc. 114 (2019), arXiv:1609.00451, section 3.
    """
    _check(calibration, labels, log_probabilities, level)
    limits = [
        _limit(calibration[labels == label], labels[labels == label], level)
        for label in range(log_probabilities.shape[1])
    ]
    return _within(log_probabilities, np.array(limits))


PREDICTION_SETS: dict[str, Callable[..., PredictionSets]] = {
    "marginal": marginal_sets,
    "class_conditional": class_conditional_sets,
}


def score_sets(sets: PredictionSets, labels: Labels, level: float) -> SetScores:
    """Count how often the sets hold the true class, with exact intervals at ``level``.

    >>> scores = score_sets(np.array([[True, False], [True, True]]), np.array([1, 0]), level=0.95)
    >>> scores.covered.rate, scores.mean_size, scores.single.count
    (0.5, 1.5, 1)
    """
    require_same_length(sets=sets, labels=labels)
    num_classes = sets.shape[1]
    require_labels_in_range(labels, num_classes=num_classes)
    held, sizes = sets[np.arange(len(labels)), labels], sets.sum(axis=1)
    return SetScores(
        covered=share(held.sum(), len(labels), level),
        covered_by_class=[
            share(held[labels == label].sum(), (labels == label).sum(), level)
            for label in range(num_classes)
        ],
        mean_size=float(sizes.mean()),
        single=share((sizes == 1).sum(), len(labels), level),
        empty=share((sizes == 0).sum(), len(labels), level),
    )


def _limit(calibration: LogProbabilities, labels: Labels, level: float) -> float:
    """Return the largest score 1 - p that lets a class in; infinity with too few cases."""
    # More cases are asked for than one in each tail.
    if len(labels) <= 1.0 / min(level, 1.0 - level):
        return np.inf
    scores = np.sort(1.0 - np.exp(calibration[np.arange(len(labels)), labels]))
    return float(scores[ceil((len(scores) + 1) * level) - 1])


def _within(
    log_probabilities: LogProbabilities, limits: float | Float[np.ndarray, "classes"]
) -> PredictionSets:
    return 1.0 - np.exp(log_probabilities) <= limits + ROUNDING


def _check(
    calibration: LogProbabilities, labels: Labels, log_probabilities: LogProbabilities, level: float
) -> None:
    if not 0 < level < 1:
        message = f"level must lie in (0, 1), got {level}"
        raise InputError(message)
    require_same_length(calibration=calibration, labels=labels)
    require_labels_in_range(labels, num_classes=log_probabilities.shape[1])
    classes = calibration.shape[1], log_probabilities.shape[1]
    if classes[0] != classes[1]:
        message = f"expected the same classes, got {classes[0]} and {classes[1]}"
        raise InputError(message)
