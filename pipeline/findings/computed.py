"""What evaluate left of an experiment in `data/scores`, as far as it is published or compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import read_json
from pipeline.config.plan import ExperimentRow, Plan
from pipeline.config.reading import check_config
from pipeline.errors import InputError
from pipeline.findings.records import (
    CodeRecord,
    PartnerRecord,
    PartnerRun,
    RunRecord,
    run_record,
)
from pipeline.findings.tidy import KEYS, TABLES, TEXT, require_columns
from pipeline.hashes import HASHES, require_intact
from pipeline.outgoing_text import from_csv


@dataclass(frozen=True)
class Computed:
    """One experiment as evaluate left it.

    Attributes
    ----------
    row : ExperimentRow
        The experiment in the plan.
    card : dict
        The data set's.
    tables : mapping of str to DataFrame
        Those of `TABLES` that it has, by name.
    runs : tuple of RunRecord
        What each run was made from.
    evaluated_by : CodeRecord
        What code computed the tables.
    partners : mapping of str to PartnerRecord
        What the partners' predictions were made from, and their hashes.
    folder : Path
        Where its files are.
    """

    row: ExperimentRow
    card: dict[str, Any]
    tables: Mapping[str, pd.DataFrame]
    runs: tuple[RunRecord, ...]
    evaluated_by: CodeRecord
    partners: Mapping[str, PartnerRecord]
    folder: Path


def read_study_scores(root: Path, plan: Plan, study: str) -> list[Computed]:
    """Return what was computed of a study's experiments, in the plan's order.

    Raises
    ------
    InputError
        If the plan lacks the study, or a file is absent or not what the plan says; it names the
        file and the command that makes it.
    """
    if study not in plan.studies:
        known = ", ".join(plan.studies) or "none"
        message = (
            f"configs/plan.yaml: no study '{study}'; it has: {known}. `python -m pipeline plan "
            f"{study}` and `dvc repro report@{study}` make what is published"
        )
        raise InputError(message)
    rows = [plan.experiments[f"{study}-{name}"] for name in plan.studies[study].experiments]
    return [_read_experiment(root, row) for row in rows]


def required(folder: Path, name: str, row: ExperimentRow) -> Path:
    """Return the way to one of an experiment's score files, which must be there."""
    path = folder / name
    if not path.is_file():
        message = f"{path}: no such file: `{_command(row)}` makes it"
        raise InputError(message)
    return path


def require_rows(
    found: Iterable[object], planned: Iterable[object], each: str, row: ExperimentRow, *, path: Path
) -> None:
    """Raise `InputError` unless a table has one row for each that the plan asks for, and no other.

    `each` says of what, in words.
    """
    if Counter(found) != Counter(planned):
        message = (
            f"{path}: one row for each {each} of the plan expected, got others: `{_command(row)}` "
            "computes them anew"
        )
        raise InputError(message)


def _command(row: ExperimentRow) -> str:
    return f"dvc repro evaluate@{row.study}-{row.experiment}"


def _read_experiment(root: Path, row: ExperimentRow) -> Computed:
    folder = root / "data/scores" / row.study / row.experiment
    # Scores of before have no hashes beside them.
    if (folder / HASHES).is_file():
        require_intact(folder, stage=f"evaluate@{row.study}-{row.experiment}")
    tables = {
        name: _read_table(required(folder, f"{name}.csv", row))
        for name in TABLES
        if name == "runs" or (folder / f"{name}.csv").is_file()
    }
    found = tables["runs"][list(KEYS)].itertuples(index=False, name=None)
    planned = product(row.losses, row.calibrators, row.seeds)
    require_rows(found, planned, "loss, calibrator and seed", row, path=folder / "runs.csv")
    path = required(folder, "provenance.json", row)
    provenance = read_json(path)
    partners = provenance.get("partners", {})
    return Computed(
        row=row,
        card=read_json(required(folder, "experiment.json", row))["dataset"],
        tables=tables,
        runs=tuple(run_record(row.experiment, run, place=path) for run in provenance["runs"]),
        evaluated_by=check_config(provenance["evaluated_by"], CodeRecord, place=path),
        partners={name: _partner_record(record) for name, record in partners.items()},
        folder=folder,
    )


def _read_table(path: Path) -> pd.DataFrame:
    text = dict.fromkeys(TEXT, str)
    table = from_csv(pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""]))
    require_columns(table, [*KEYS, *TABLES[path.stem]], place=str(path))
    return table


def _partner_record(record: Mapping[str, Any]) -> PartnerRecord:
    runs = [{key: run[key] for key in PartnerRun.model_fields} for run in record["runs"]]
    return PartnerRecord(
        data_fingerprint=record["data_fingerprint"],
        runs=[PartnerRun.model_validate(run) for run in runs],
    )
