"""What a threshold does: who is answered, who is referred, who is answered wrongly, by class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from pipeline.errors import InputError
from pipeline.metrics.risk_sums import Scores
from pipeline.metrics.shares import Share, share
from pipeline.shapes import Labels, require_labels_in_range, require_same_length

Costs = Float[np.ndarray, "classes classes"]
"""Cost of answering the column's class where the row's is true."""

Counts = Int[np.ndarray, "classes"]


@dataclass(frozen=True)
class OperatingPoint:
    """Counts at one threshold, class by true class.

    Attributes
    ----------
    threshold : float or None
        Cases that score at least this are answered; None refers every case.
    cases : int array, (classes,)
        Cases of each class.
    answered : int array, (classes,)
        Those answered.
    wrong : int array, (classes,)
        Those answered wrongly: for a disease, missed.
    wrong_if_all_answered : int array, (classes,)
        Those that would be wrong if none were referred.
    """

    threshold: float | None
    cases: Counts
    answered: Counts
    wrong: Counts
    wrong_if_all_answered: Counts

    @property
    def referred(self) -> Counts:
        """Cases of each class that are not answered."""
        return self.cases - self.answered

    @property
    def coverage(self) -> float:
        """Share of all cases that is answered."""
        return float(self.answered.sum() / self.cases.sum())


def operating_point(
    confidence: Scores,
    predicted: Labels,
    labels: Labels,
    *,
    num_classes: int,
    threshold: float | None,
) -> OperatingPoint:
    """Count what a threshold answers and refers.

    Parameters
    ----------
    confidence : float array, (n,)
        Score of each case, higher when surer.
    predicted, labels : int array, (n,)
        The class that would be answered, and the true one.
    num_classes : int
        Number of classes.
    threshold : float or None
        Answer cases that score at least this; None: none.

    Raises
    ------
    InputError
        If lengths differ or a class does not exist.

    Examples
    --------
    >>> point = operating_point(
    ...     np.array([0.9, 0.8, 0.4]), np.array([0, 0, 1]), np.array([0, 1, 1]),
    ...     num_classes=2, threshold=0.5,
    ... )
    >>> point.answered, point.referred, point.wrong
    (array([1, 1]), array([0, 1]), array([0, 1]))
    """
    require_same_length(confidence=confidence, predicted=predicted, labels=labels)
    require_labels_in_range(labels, num_classes=num_classes)
    require_labels_in_range(predicted, num_classes=num_classes)
    everyone = np.ones(len(labels), dtype=bool)
    answered = ~everyone if threshold is None else confidence >= threshold
    wrong = predicted != labels

    def count(chosen: Bool[np.ndarray, "cases"]) -> Counts:
        return np.bincount(labels[chosen], minlength=num_classes)

    return OperatingPoint(
        threshold=threshold,
        cases=count(everyone),
        answered=count(answered),
        wrong=count(answered & wrong),
        wrong_if_all_answered=count(wrong),
    )


_SHARES: dict[str, Callable[[OperatingPoint], tuple[Counts, Counts]]] = {
    "answered": lambda point: (point.answered, point.cases),
    "referred": lambda point: (point.referred, point.cases),
    "wrong_of_answered": lambda point: (point.wrong, point.answered),
    "wrong_of_all": lambda point: (point.wrong, point.cases),
}


def overall_shares(point: OperatingPoint, level: float) -> dict[str, Share]:
    """Return how many are answered, referred and wrong, with exact intervals.

    ``wrong_of_answered`` is the selective risk; ``wrong_of_all`` counts silent errors for each case
    that arrives, and is the risk that AUGRC averages.
    """
    counts = {name: select(point) for name, select in _SHARES.items()}
    return {name: share(count.sum(), of.sum(), level) for name, (count, of) in counts.items()}


def class_shares(point: OperatingPoint, level: float) -> list[dict[str, Share]]:
    """Return `overall_shares` of each true class.

    For a disease, ``wrong_of_all`` is the share missed silently and ``referred`` the share that a
    reader gets to see.
    """
    counts = {name: select(point) for name, select in _SHARES.items()}
    return [
        {name: share(count[label], of[label], level) for name, (count, of) in counts.items()}
        for label in range(len(point.cases))
    ]


def case_costs(predicted: Labels, labels: Labels, costs: Costs) -> Float[np.ndarray, "cases"]:
    """Return what answering each case costs: losses for `pipeline.metrics.selective`.

    Parameters
    ----------
    predicted, labels : int array, (n,)
        The class that would be answered, and the true one.
    costs : float array, (classes, classes)
        ``costs[true, answered]``, finite and at least 0. Zeros on the diagonal and ones elsewhere
        give losses of 0 and 1.

    Raises
    ------
    InputError
        If the matrix is not square, a cost is negative or not finite, or a class does not exist.

    Examples
    --------
    >>> missed_disease = np.array([[0.0, 1.0], [20.0, 0.0]])
    >>> case_costs(np.array([0, 1, 0]), np.array([0, 0, 1]), missed_disease)
    array([ 0.,  1., 20.])
    """
    costs = np.asarray(costs, dtype=np.float64)
    if costs.ndim != 2 or costs.shape[0] != costs.shape[1]:
        message = f"costs must be (classes, classes), got shape {costs.shape}"
        raise InputError(message)
    if not (np.isfinite(costs).all() and (costs >= 0).all()):
        message = f"costs must be finite and at least 0, got {costs.min()}..{costs.max()}"
        raise InputError(message)
    require_same_length(predicted=predicted, labels=labels)
    require_labels_in_range(labels, num_classes=len(costs))
    require_labels_in_range(predicted, num_classes=len(costs))
    return costs[labels, predicted]


def costs_by_class(weights: Float[np.ndarray, "classes"]) -> Costs:
    """Return the cost matrix in which any error on a class costs that class's weight.

    >>> costs_by_class(np.array([1.0, 20.0]))
    array([[ 0.,  1.],
           [20.,  0.]])
    """
    return np.where(np.eye(len(weights), dtype=bool), 0.0, np.asarray(weights)[:, None])
