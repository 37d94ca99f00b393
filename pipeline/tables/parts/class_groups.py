"""Classes with many, some and few training cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.metrics.long_tail import ClassGroups, groups_by_count, groups_by_tertile

if TYPE_CHECKING:
    from pipeline.tables.parts.experiment import Experiment


def grouped_classes(
    classes: Sequence[str], training_cases: Mapping[str, int]
) -> tuple[str, ClassGroups]:
    """Return the rule by which classes are grouped, and each class's group."""
    counts = np.array([training_cases[name] for name in classes])
    by_count = groups_by_count(counts)
    if {"many", "few"} <= set(by_count.tolist()):
        return "count", by_count
    return "tertile", groups_by_tertile(counts)


def has_long_tail(experiment: Experiment) -> bool:
    """Return whether its training classes were thinned to a long tail."""
    return bool(experiment.card["long_tail"])
