"""The score files of one experiment: what the report is made from, and the border of disclosure.

Everything that a report hands out, be it page, figure, table or embedded data, is made from these
files: what they do not say of small groups, nothing does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import write_json
from pipeline.config.plan import ExperimentRow
from pipeline.errors import InputError
from pipeline.evaluation.disclosure import disclosed_card, disclosed_tables
from pipeline.metrics.intervals import LEVEL
from pipeline.outgoing_text import csv_text, printable, printable_record, printable_table
from pipeline.tables.parts.experiment import BOOTSTRAP


def write_scores(
    tables: Mapping[str, pd.DataFrame],
    row: ExperimentRow,
    *,
    card: dict[str, Any],
    provenance: dict[str, Any],
    folder: Path,
) -> None:
    """Write each table as CSV, what they are about as JSON, and where they come from.

    Small groups are masked (`disclosed_tables`), control characters left out and formulas defused
    (`csv_text`).

    Raises `InputError` if two classes have one name but for control characters.
    """
    if len({printable(name) for name in card["classes"]}) < len(card["classes"]):
        message = "classes: names that differ in what can be printed expected, got one twice"
        raise InputError(message)
    for name, table in disclosed_tables(tables, card).items():
        text = csv_text(printable_table(table))
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    about = row.model_dump() | {
        "dataset": disclosed_card(tables, card),
        "bootstrap": BOOTSTRAP | {"level": LEVEL, "unit": "patient"},
    }
    write_json(printable_record(about), folder / "experiment.json")
    write_json(printable_record(provenance), folder / "provenance.json")
