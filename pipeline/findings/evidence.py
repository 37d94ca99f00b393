"""Published evidence: what `reports/evidence` holds of each study, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.config.plan import ExperimentRow
from pipeline.errors import InputError
from pipeline.findings.records import (
    DatasetRecord,
    ExperimentRecord,
    RunRecord,
    Settings,
    read_provenance,
)
from pipeline.findings.tidy import TABLES, read_tidy, wide

FOLDER = "reports/evidence"
CLAIMS = "configs/claims.yaml"
SCORES, POINTS, SUMMARY, PROVENANCE = (
    "scores.parquet", "operating_points.csv", "summary.csv", "provenance.json",
)  # fmt: skip
FINDINGS = "findings.md"
POINT_TEXT = ("experiment", "loss", "calibrator", "status")


@dataclass(frozen=True)
class Evidence:
    """What one experiment brings to the claims.

    Attributes
    ----------
    row : ExperimentRow
        The experiment in the plan.
    card : DatasetRecord
        What is said of its data set.
    epochs : int
        Of its recipe.
    tables : mapping of str to DataFrame
        Those of `TABLES` that it has, by name.
    settings : Settings or None
        What its names stood for; None of a study that is no designed experiment.
    """

    row: ExperimentRow
    card: DatasetRecord
    epochs: int
    tables: Mapping[str, pd.DataFrame]
    settings: Settings | None = None

    @property
    def name(self) -> str:
        """Study and experiment."""
        return f"{self.row.study}/{self.row.experiment}"

    @property
    def trained(self) -> tuple[str, str, str]:
        """What two experiments share if their trainings of one loss and seed are the same."""
        return (self.row.dataset, self.row.network, self.row.recipe)


@dataclass(frozen=True)
class PublishedStudy:
    """One study as it was published.

    Attributes
    ----------
    name, title : str
    experiments : tuple of Evidence
        In the plan's order.
    scores : DataFrame
        The tidy table of all of them.
    points : DataFrame
        ``operating_points.csv``: those of the baseline's and the headline's loss.
    runs : tuple of RunRecord
        What each run was made from.
    """

    name: str
    title: str
    experiments: tuple[Evidence, ...]
    scores: pd.DataFrame
    points: pd.DataFrame
    runs: tuple[RunRecord, ...]


def published_names(folder: Path) -> list[str]:
    """Return the studies published in a folder, in the order of their names."""
    return sorted(path.parent.name for path in folder.glob(f"*/{PROVENANCE}"))


def require_published(folder: Path) -> list[str]:
    """Return the studies published in a folder; raise `InputError` if there is none."""
    if not (names := published_names(folder)):
        message = f"{folder}: no published study: `python -m pipeline publish STUDY...` writes one"
        raise InputError(message)
    return names


def read_studies(folder: Path, first: Iterable[str] = ()) -> list[PublishedStudy]:
    """Return every published study, those named first before the others.

    Raises
    ------
    InputError
        If nothing is published there, or a file of a study is absent or not what it must be.
    """
    names = require_published(folder)
    ordered = [name for name in first if name in names]
    return [read_study(folder / name) for name in dict.fromkeys([*ordered, *names])]


def read_evidence(folder: Path, studies: Iterable[str]) -> list[Evidence]:
    """Return the experiments of some studies, in their order; one that is not there brings none.

    Raises
    ------
    InputError
        If a file of a study is absent or not what it must be.
    """
    names = published_names(folder)
    held = [read_study(folder / study) for study in studies if study in names]
    return [evidence for study in held for evidence in study.experiments]


def read_study(folder: Path) -> PublishedStudy:
    """Return the study published in a folder; `InputError` names a file that is not what it was."""
    provenance = read_provenance(folder / PROVENANCE)
    if provenance.study != folder.name:
        message = f"{folder / PROVENANCE}: study '{folder.name}' expected, got '{provenance.study}'"
        raise InputError(message)
    scores = read_tidy(folder / SCORES)
    return PublishedStudy(
        name=provenance.study,
        title=provenance.title,
        experiments=tuple(_evidence(each, scores, folder) for each in provenance.experiments),
        scores=scores,
        points=_read_points(folder / POINTS),
        runs=tuple(provenance.runs),
    )


def _evidence(record: ExperimentRecord, scores: pd.DataFrame, folder: Path) -> Evidence:
    row = record.row
    own = scores[scores["experiment"] == row.experiment]
    held = set(own["table"])
    tables = {
        name: wide(own[own["table"] == name], name, place=f"{folder / SCORES}, {row.experiment}")
        for name in TABLES
        if name in held or name == "runs"
    }
    return Evidence(
        row=row,
        card=record.dataset,
        epochs=record.epochs,
        tables=tables,
        settings=record.settings,
    )


def _read_points(path: Path) -> pd.DataFrame:
    if not path.is_file():
        message = f"{path}: no such file"
        raise InputError(message)
    text = dict.fromkeys(POINT_TEXT, str)
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])
