"""The score files that claims are tested on, one experiment after the other in the plan's order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import read_json
from pipeline.config.method import Recipe
from pipeline.config.plan import ExperimentRow, Plan
from pipeline.config.reading import read_config
from pipeline.errors import InputError

TABLES = ("runs", "long_tail", "ood", "shift", "site_recalibration")
"""Score tables with a row a loss, seed and calibrator; only the first is in every experiment."""

KEYS = ("loss", "calibrator", "seed")
TEXT = (*KEYS[:2], "rule", "group", "partner", "kind", "score", "view", "corruption", "correction")


@dataclass(frozen=True)
class Evidence:
    """What one experiment brings to the claims.

    Attributes
    ----------
    row : ExperimentRow
        The experiment in the plan.
    card : dict
        The data set's: title, counts by split and class, patients by split.
    epochs : int
        Of its recipe.
    tables : mapping of str to DataFrame
        Those of `TABLES` that it has, by name.
    """

    row: ExperimentRow
    card: Mapping[str, Any]
    epochs: int
    tables: Mapping[str, pd.DataFrame]

    @property
    def name(self) -> str:
        """Study and experiment."""
        return f"{self.row.study}/{self.row.experiment}"

    @property
    def trained(self) -> tuple[str, str, str]:
        """What two experiments share if their trainings of one loss and seed are the same."""
        return (self.row.dataset, self.row.network, self.row.recipe)


def read_evidence(root: Path, plan: Plan, studies: Iterable[str]) -> list[Evidence]:
    """Return the experiments of some studies; a study that the plan lacks brings none.

    Raises
    ------
    InputError
        If an experiment of the plan has no scores, or one of its tables lacks a key.
    """
    wanted = set(studies)
    rows = [row for row in plan.experiments.values() if row.study in wanted]
    return [_read_experiment(root, row) for row in rows]


def _read_experiment(root: Path, row: ExperimentRow) -> Evidence:
    folder = root / "data/scores" / row.study / row.experiment
    recipe = read_config(root / f"configs/recipes/{row.recipe}.yaml", Recipe)
    tables = {
        name: _read_table(folder / f"{name}.csv")
        for name in TABLES
        if name == "runs" or (folder / f"{name}.csv").is_file()
    }
    card = read_json(folder / "experiment.json")["dataset"]
    return Evidence(row=row, card=card, epochs=recipe.epochs, tables=tables)


def _read_table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        message = f"{path}: no such file: run evaluate first"
        raise InputError(message)
    text = dict.fromkeys(TEXT, str)
    table = pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])
    require_columns(table, KEYS, place=str(path))
    return table


def require_columns(table: pd.DataFrame, columns: Sequence[str], *, place: str) -> None:
    """Raise `InputError` naming the first column that a table lacks, and those it has."""
    for column in columns:
        if column not in table.columns:
            message = f"{place}: column '{column}' expected, got: {', '.join(table.columns)}"
            raise InputError(message)
