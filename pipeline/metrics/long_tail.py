"""Long tails: what classes with many, some and few training cases each get."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Shaped

from pipeline.errors import InputError
from pipeline.metrics.bins import NUM_BINS
from pipeline.metrics.calibration_error import ece
from pipeline.metrics.intervals import LEVEL
from pipeline.metrics.selective import RiskCoverage, aurc, risk_coverage_curve
from pipeline.metrics.shares import Share, share
from pipeline.metrics.top_label import top_label
from pipeline.shapes import Labels, LogProbabilities, require_labels_in_range

GROUPS = ("many", "medium", "few")

MORE_THAN, FEWER_THAN = 100, 20
"""Training cases above which a class has many, and below which it has few."""

ClassCounts = Int[np.ndarray, "classes"]
"""Number of training cases of each class."""

ClassGroups = Shaped[np.ndarray, "classes"]
"""The group of each class, one of `GROUPS`."""


@dataclass(frozen=True)
class TailScores:
    """One group of classes, measured on the test cases whose true class is among them."""

    num_classes: int
    """Classes in the group, with or without a test case."""
    accuracy: Share
    """Cases predicted right, of all the group's, among all classes."""
    ece: float
    """Expected calibration error of these cases."""
    aurc: float
    """Area under their risk-coverage curve."""
    curve: RiskCoverage
    """Share wrong against the share of the group's cases answered."""


def groups_by_count(class_counts: ClassCounts) -> ClassGroups:
    """Name each class by its training cases: many above 100, medium 20 to 100, few below 20.

    References
    ----------
    Liu et al., CVPR 2019, arXiv:1904.05160, section 4.1.

    Examples
    --------
    >>> groups_by_count(np.array([101, 100, 20, 19])).tolist()
    ['many', 'medium', 'medium', 'few']
    """
    return _name(class_counts > MORE_THAN, class_counts < FEWER_THAN)


def groups_by_tertile(class_counts: ClassCounts) -> ClassGroups:
    """Name a third of the classes many, a third few; for data too small for fixed limits.

    Classes with equally many cases are never parted: those that tie with a limit are medium, so a
    balanced data set has no tail.

    >>> groups_by_tertile(np.array([9, 5, 3, 1])).tolist()
    ['many', 'medium', 'medium', 'few']
    """
    rising, last = np.sort(class_counts), len(class_counts) - 1
    # The classes a third and two thirds of the way up, rounded towards the middle.
    lower, upper = rising[-(-last // 3)], rising[2 * last // 3]
    return _name(class_counts > upper, class_counts < lower)


def score_by_group(
    log_probabilities: LogProbabilities,
    labels: Labels,
    groups: ClassGroups,
    *,
    num_bins: int = NUM_BINS,
    level: float = LEVEL,
) -> dict[str, TailScores]:
    """Measure each group of classes on its own test cases.

    The groups are in the order many, medium, few; one without a test case is left out.

    Log-probabilities are among all classes; `groups` names the group of each class, from training
    counts.

    Raises `InputError` if there is not one group for each class, or a label has no class.
    """
    if len(groups) != log_probabilities.shape[1]:
        message = f"one group a class expected: {log_probabilities.shape[1]}, got {len(groups)}"
        raise InputError(message)
    require_labels_in_range(labels, num_classes=len(groups))
    top = top_label(log_probabilities, labels)
    scores = {}
    for group in GROUPS:
        cases = (groups == group)[labels]
        if not cases.any():
            continue
        confidence, correct = top.confidence[cases], top.correct[cases]
        scores[group] = TailScores(
            num_classes=int((groups == group).sum()),
            accuracy=share(int(correct.sum()), len(correct), level),
            ece=float(ece(confidence, correct, num_bins)),
            aurc=float(aurc(confidence, 1 - correct)),
            curve=risk_coverage_curve(confidence, 1 - correct),
        )
    return scores


def _name(many: Shaped[np.ndarray, "classes"], few: Shaped[np.ndarray, "classes"]) -> ClassGroups:
    return np.select([many, few], ["many", "few"], default="medium")
