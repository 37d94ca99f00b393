"""Thin a split out: to a number of cases, or to a long tail of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.config import Dataset
from pipeline.errors import InputError


def keep_cases(cases: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Return the cases that `max_cases` and `long_tail` leave, in their order.

    `cases` has `split` and `label`. The long tail thins out the training split alone.
    """
    num_classes = len(dataset.classes)
    for split, limit in dataset.max_cases.items():
        counts = class_counts(cases, split, num_classes)
        targets = proportional_counts(counts, limit)
        cases = _keep_first(cases, split, targets, dataset.splits.seed)
    if dataset.long_tail is not None:
        counts = class_counts(cases, "train", num_classes)
        targets = long_tail_counts(counts, dataset.long_tail.imbalance_ratio)
        cases = _keep_first(cases, "train", targets, dataset.long_tail.seed)
    return cases


def class_counts(cases: pd.DataFrame, split: str, num_classes: int) -> list[int]:
    """Return how many cases of each class a split has."""
    labels = cases.loc[cases["split"] == split, "label"].to_numpy()
    return np.bincount(labels, minlength=num_classes).tolist()


def long_tail_counts(counts: Sequence[int], imbalance_ratio: float) -> list[int]:
    r"""Return how many cases of each class an exponential long tail keeps.

    .. math:: n_k = \lfloor n_{\max} f^{k/(K-1)} \rfloor, \quad f = 1 / \text{imbalance ratio}

    k numbers the classes from the most to the least frequent (in their own order where they are
    balanced), and no class keeps more than it has. A larger ratio keeps a subset.

    References
    ----------
    Cao et al., NeurIPS 2019, arXiv:1906.07413, appendix C; Cui et al., CVPR 2019.

    Examples
    --------
    >>> long_tail_counts([100, 100, 100], imbalance_ratio=100)
    [100, 10, 1]
    """
    frequent_first = np.argsort(-np.asarray(counts), kind="stable")
    targets = [0] * len(counts)
    for rank, label in enumerate(frequent_first):
        target = int(max(counts) * (1 / imbalance_ratio) ** (rank / (len(counts) - 1)))
        targets[label] = min(counts[label], target)
    return targets


def proportional_counts(counts: Sequence[int], limit: int) -> list[int]:
    """Return class counts in the same proportion that sum to the limit, by largest remainders.

    A class that has cases keeps at least one. Counts that do not exceed the limit stay.

    >>> proportional_counts([60, 30, 1], limit=10)
    [6, 3, 1]
    """
    total = sum(counts)
    if total <= limit:
        return list(counts)
    num_present = sum(count > 0 for count in counts)
    if limit < num_present:
        message = f"max_cases must leave one case for each of {num_present} classes, got {limit}"
        raise InputError(message)
    quotas = [count * limit / total for count in counts]
    kept = [max(int(quota), min(count, 1)) for quota, count in zip(quotas, counts, strict=True)]
    while sum(kept) != limit:
        step = 1 if sum(kept) < limit else -1
        shortfalls = [
            step * (quota - number) if number + step >= min(count, 1) else -np.inf
            for quota, number, count in zip(quotas, kept, counts, strict=True)
        ]
        kept[int(np.argmax(shortfalls))] += step
    return kept


def _keep_first(cases: pd.DataFrame, split: str, targets: Sequence[int], seed: int) -> pd.DataFrame:
    """Keep the first of each class in one seeded order, so that smaller targets keep a subset."""
    order = np.random.default_rng(seed).permutation(len(cases))
    shuffled = cases.iloc[order]
    inside = shuffled["split"] == split
    rank = shuffled[inside].groupby("label").cumcount()
    limit = shuffled.loc[inside, "label"].map(dict(enumerate(targets)))
    dropped = rank.index[(rank >= limit).to_numpy()]
    return cases.drop(index=dropped)
