"""Columns by which patients fall into groups, and what is written of a group's share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.group_shares import GroupShare, group_names
from pipeline.metrics.intervals import Interval
from pipeline.outgoing_text import printable

CLASS_COLUMN = "class"
"""The column of groups that true classes make."""


def group_columns(groups: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the columns that tell cases apart, each case's group as text.

    A column with one group has nothing to compare and is left out. Names that differ in control
    characters alone are one.
    """
    columns = {
        str(name): np.array([printable(each) for each in group_names(groups[name].to_numpy())])
        for name in groups.columns
    }
    return {name: values for name, values in columns.items() if len(np.unique(values)) > 1}


def count_columns(share: GroupShare, marked: str) -> dict[str, Any]:
    """Return how much of a group is shown, its patients, and those who are marked."""
    return {
        "visibility": share.visibility,
        "num_patients": share.num_patients,
        marked: share.num_marked,
    }


def interval_columns(interval: Interval | None, prefix: str = "") -> dict[str, float | None]:
    """Return the ends of an interval, empty where there is none."""
    return {
        f"{prefix}lower": interval.lower if interval else None,
        f"{prefix}upper": interval.upper if interval else None,
    }
