"""What is to know of a table: its columns, how it is computed, and when an experiment has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.metrics.group_shares import Visibility
from pipeline.tables.parts.column import Column

if TYPE_CHECKING:
    from pipeline.tables.parts.experiment import Experiment
    from pipeline.tables.parts.scores import Scores
    from pipeline.tables.parts.shown import Table


def always(experiment: Experiment) -> bool:  # noqa: ARG001
    """Return true: every experiment has such a table."""
    return True


def as_it_is(
    spec: TableSpec,  # noqa: ARG001
    table: pd.DataFrame,
    classes: Mapping[str, Visibility],  # noqa: ARG001
) -> pd.DataFrame:
    """Return the table: it speaks of no group of patients."""
    return table


def in_figures_alone(scores: Scores) -> Iterable[Table]:  # noqa: ARG001
    """Return nothing: no page shows the table by itself."""
    return ()


@dataclass(frozen=True)
class TableSpec:
    """One table: the only place that says what it holds.

    Attributes
    ----------
    name : str
        Of the table, of its module here, and of its file.
    columns : tuple of Column
        Those that every such table has, in the order of its file; those that are keys say which row
        it is.
    compute : callable
        From an experiment to the frame. Columns that an undefined value leaves out are added empty.
    when : callable
        Whether an experiment has such a table.
    disclose : callable
        From this spec, the frame and what may be shown of each class to what may be handed out.
    section : str
        The part of an experiment's page where it is shown, a key of `pipeline.report.sections`;
        empty where a page of comparisons shows it, or none.
    show : callable
        From the scores, where they have the table, to what a page shows of it by itself.
    metrics : bool
        Whether further columns follow, one a metric.
    required : bool
        Whether a report cannot be made without it.
    may_be_empty : bool
        Whether a table without rows says something, and is written.
    """

    name: str
    columns: tuple[Column, ...]
    compute: Callable[[Experiment], pd.DataFrame]
    when: Callable[[Experiment], bool] = always
    disclose: Callable[[TableSpec, pd.DataFrame, Mapping[str, Visibility]], pd.DataFrame] = as_it_is
    section: str = ""
    show: Callable[[Scores], Iterable[Table]] = in_figures_alone
    metrics: bool = False
    required: bool = False
    may_be_empty: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that say which row it is."""
        return tuple(column.name for column in self.columns if column.key)

    def tables(self, scores: Scores) -> list[Table]:
        """Return what a page shows of the table by itself: nothing of one that is not there."""
        return [] if scores.frame(self.name).empty else list(self.show(scores))

    def only(self, *names: str) -> list[Column]:
        """Return some of the columns, in the order of their names here."""
        by_name = {column.name: column for column in self.columns}
        return [by_name[name] for name in names]
