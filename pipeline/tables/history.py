"""Training histories of all runs below one another."""

from __future__ import annotations

from pipeline.tables.parts.column import LOSS, SEED, count
from pipeline.tables.parts.spec import TableSpec

HISTORY = TableSpec(
    name="history",
    columns=(LOSS, SEED, count("epoch", key=True)),
    compute=lambda experiment: experiment.history,
    metrics=True,
    required=True,
    may_be_empty=True,
)
