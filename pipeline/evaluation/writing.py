"""The score files of one experiment: what the report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import write_json
from pipeline.config.plan import ExperimentRow
from pipeline.evaluation.tables import BOOTSTRAP
from pipeline.metrics.intervals import LEVEL


def write_scores(
    tables: Mapping[str, pd.DataFrame],
    row: ExperimentRow,
    *,
    card: dict[str, Any],
    provenance: dict[str, Any],
    folder: Path,
) -> None:
    """Write each table as CSV, what they are about as JSON, and where they come from."""
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    about = row.model_dump() | {
        "dataset": card,
        "bootstrap": BOOTSTRAP | {"level": LEVEL, "unit": "patient"},
    }
    write_json(about, folder / "experiment.json")
    write_json(provenance, folder / "provenance.json")
