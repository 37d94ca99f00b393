"""Area under the ROC curve: how well each class's probability ranks its cases above the others."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from pipeline.errors import InputError
from pipeline.metrics.metric import Metric
from pipeline.metrics.weighting import (
    BLOCK_ELEMENTS,
    Estimates,
    Weights,
    case_weights,
    smallest_counts,
)
from pipeline.shapes import Labels, LogProbabilities


def why_no_auroc(labels: Labels) -> str | None:
    """Return why these labels have no ROC curve, or None if they have one.

    >>> why_no_auroc(np.array([2, 2]))
    'auroc needs cases of at least two classes, got class 2 alone'
    """
    if labels.min() == labels.max():
        return f"auroc needs cases of at least two classes, got class {labels[0]} alone"
    return None


def auroc(
    log_probabilities: LogProbabilities, labels: Labels, *, weights: Weights | None = None
) -> Estimates:
    """Return the area under the ROC curve, in [0, 1]; 0.5 is no better than chance.

    With two classes, that of class 1. With more, the mean over the classes that occur of each
    class's area against all the others (one-vs-rest, macro).

    A resample that holds one class alone gives NaN.

    Only the order of each column matters; logarithms order cases whose probabilities both round to
    one.

    Raises `InputError` if the labels are all of one class.

    >>> positive = np.array([0.1, 0.4, 0.35, 0.8])
    >>> two_classes = np.log(np.column_stack([1 - positive, positive]))
    >>> float(auroc(two_classes, np.array([0, 0, 1, 1])))  # 3 of 4 pairs in order
    0.75
    """
    reason = why_no_auroc(labels)
    if reason is not None:
        raise InputError(reason)
    weights = smallest_counts(case_weights(weights, len(labels)))
    num_classes = log_probabilities.shape[1]
    classes = [1] if num_classes == 2 else np.unique(labels).tolist()
    areas = np.array([binary_auroc(log_probabilities[:, k], labels == k, weights) for k in classes])
    defined = ~np.isnan(areas)
    total = np.where(defined, areas, 0.0).sum(axis=0)
    count = defined.sum(axis=0)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)[()]


AUROC = Metric(
    name="auroc",
    function=auroc,
    kind="accuracy",
    better="higher",
    label="AUROC",
    description="Chance that a case of a class ranks above one of another; mean over classes.",
    unit="",
    digits=3,
    shown=("comparison", "model_card", "metrics_file"),
    why_undefined=why_no_auroc,
    weighs_classes=True,
)


def binary_auroc(
    scores: Float[np.ndarray, "cases"],
    positive: Bool[np.ndarray, "cases"],
    weights: Int[np.ndarray, "*resamples cases"],
) -> Estimates:
    """Return the chance that a positive case scores above a negative one, a tie counting half.

    NaN where the weights count no positive or no negative case.

    >>> both = np.array([True, False])
    >>> float(binary_auroc(np.array([0.5, 0.5]), both, np.ones(2, dtype=int)))
    0.5
    """
    scores = np.ascontiguousarray(scores)
    losers, winners = (_ranked(scores, chosen) for chosen in (~positive, positive))
    beaten_scores = scores[losers]
    # Sorted needles, because they are found several times faster than scattered ones.
    lower = np.searchsorted(beaten_scores, scores[winners], side="left")
    upper = np.searchsorted(beaten_scores, scores[winners], side="right")
    rows = weights.reshape(-1, weights.shape[-1])
    won, pairs = np.empty((2, len(rows)))
    # A few resamples at a time, so that what is gathered of them stays in cache.
    step = max(1, BLOCK_ELEMENTS // len(scores))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        below = np.zeros((len(block), len(losers) + 1), dtype=np.int64)
        np.cumsum(np.take(block, losers, axis=1), axis=1, out=below[:, 1:])
        beaten = np.take(below, lower, axis=1) + np.take(below, upper, axis=1)
        counted = np.take(block, winners, axis=1)
        won[start : start + step] = (counted * beaten).sum(axis=1) / 2
        pairs[start : start + step] = counted.sum(axis=1) * below[:, -1]
    areas = np.divide(won, pairs, out=np.full_like(won, np.nan), where=pairs > 0)
    return areas.reshape(weights.shape[:-1])[()]


def _ranked(
    scores: Float[np.ndarray, "cases"], chosen: Bool[np.ndarray, "cases"]
) -> Int[np.ndarray, "chosen"]:
    """Return the numbers of the chosen cases, lowest score first."""
    numbers = np.flatnonzero(chosen)
    return numbers[np.argsort(scores[numbers])]
