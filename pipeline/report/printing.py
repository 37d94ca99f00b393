"""One table of an experiment by itself: its numbers as CSV, or its look as LaTeX."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import InputError
from pipeline.outgoing_text import csv_text
from pipeline.report.formats import latex_text
from pipeline.report.reading import read_scores
from pipeline.report.views import experiment_view


def printed_table(scores: Path, name: str, *, tex: bool) -> str:
    """Return a table of an experiment's page as text.

    Parameters
    ----------
    scores : Path
        The folder of its scores.
    name : str
        As in the name of the table's CSV in the report.
    tex : bool
        LaTeX for `booktabs`, as the page shows it, instead of CSV.

    Raises
    ------
    InputError
        If the experiment has no such table, naming those it has.
    """
    tables = {table.name: table for table in experiment_view(read_scores(scores)).all_tables}
    if name not in tables:
        message = f"no table {name!r}; the experiment has: {', '.join(sorted(tables))}"
        raise InputError(message)
    return latex_text(tables[name]) if tex else csv_text(tables[name].frame)
