"""Every table of an experiment, as its spec says."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from threadpoolctl import threadpool_limits

from pipeline.tables import TABLES
from pipeline.tables.parts.experiment import Experiment
from pipeline.tables.parts.spec import TableSpec

Tell = Callable[[str], None]
"""Is told what comes next, before each table."""


def silent(step: str) -> None:  # noqa: ARG001
    """Tell nobody."""


def compute_tables(experiment: Experiment, *, tell: Tell = silent) -> dict[str, pd.DataFrame]:
    """Return every table that an experiment has, by name, in reading order.

    Tables that it cannot have (no group, one method, no critical class, no costs, no long tail) are
    left out.
    """
    frames: dict[str, pd.DataFrame] = {}
    # How a sum is split over threads decides its last digit: one thread, whatever the machine.
    with threadpool_limits(limits=1):
        for name, spec in TABLES.items():
            tell(f"computing the table {name} ({len(frames) + 1} of {len(TABLES)})")
            frames[name] = experiment.frame(spec)
    return {name: frame for name, frame in frames.items() if _says_something(TABLES[name], frame)}


def _says_something(spec: TableSpec, frame: pd.DataFrame) -> bool:
    return bool(len(frame)) or (spec.may_be_empty and bool(len(frame.columns)))
