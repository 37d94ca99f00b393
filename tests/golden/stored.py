"""Small sets of stored logits, and what evaluation makes of them: read, computed, compared.

A set is a folder: ``experiment.json`` (the plan's row and the data set's card), ``logits`` and
``shifted`` (one Parquet file a run and split, one a partner and run), ``calibrators`` (fitted once
and stored, so that no search of a fit moves a table) and ``tables``, one CSV a table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd

from pipeline.artifacts import Predictions, read_foreign, read_predictions
from pipeline.calibrators import from_json
from pipeline.config.plan import ExperimentRow
from pipeline.config.study import SAME_CLASSES
from pipeline.evaluation import BOOTSTRAP, Applied, Experiment, PartnerRun, Run, compute_tables

FOLDER = Path(__file__).parent
SETS = ("screening", "eight_classes", "partners")

DIGITS = 14
"""Significant digits that tables are stored with: half a unit of the last is below 1e-13."""


RESAMPLES = 100
"""Of intervals over patients: fewer than in earnest, for speed."""


@dataclass(frozen=True)
class Golden:
    """One set: the plan's row, the data set's card, the runs and what they say of partners."""

    row: ExperimentRow
    card: dict[str, Any]
    runs: list[Run]
    partners: list[PartnerRun]


def read_set(name: str, *, folder: Path = FOLDER) -> Golden:
    """Return a stored set."""
    place = folder / name
    about = json.loads((place / "experiment.json").read_text(encoding="utf-8"))
    row = ExperimentRow(**about["row"])
    runs = [_read_run(place, loss, seed) for loss in row.losses for seed in row.seeds]
    partners = [
        PartnerRun(run, partner, kind, _read_partner(place, partner, kind, run))
        for partner, kind in row.partners.items()
        for run in runs
    ]
    return Golden(row, about["card"], runs, partners)


def write_tables(golden: Golden, folder: Path) -> None:
    """Compute every table of a set and write it with `DIGITS` digits, nothing of it masked."""
    with patch.dict(BOOTSTRAP, num_resamples=RESAMPLES):
        tables = compute_tables(Experiment(golden.runs, golden.row, golden.card, golden.partners))
    written = folder / "as-written"
    written.mkdir(parents=True)
    for name, table in tables.items():
        table.to_csv(written / f"{name}.csv", index=False)
    for path in sorted(written.glob("*.csv")):
        frame = pd.read_csv(path, dtype=_texts(path))
        frame.to_csv(folder / path.name, index=False, float_format=f"%.{DIGITS}g")


def read_cells(path: Path) -> list[list[str]]:
    """Return a CSV file's cells as text, the header first."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, header=None)
    return frame.to_numpy().tolist()


def differences(stored: Path, made: Path, tolerance: float) -> Iterator[str]:
    """Yield what differs between two tables: a cell where numbers are further apart than allowed.

    Two numbers agree if they differ by at most `tolerance` times the larger, or, around 0, by
    `tolerance` itself.
    """
    before, after = read_cells(stored), read_cells(made)
    if before[0] != after[0] or len(before) != len(after):
        yield f"{len(before)} rows of {before[0]} stored, {len(after)} rows of {after[0]} made"
        return
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        for column, was, is_now in zip(before[0], old, new, strict=True):
            if not _agree(was, is_now, tolerance):
                yield f"row {number}, {column}: {was} stored, {is_now} made"


def _agree(was: str, is_now: str, tolerance: float) -> bool:
    if was == is_now:
        return True
    try:
        old, new = float(was), float(is_now)
    except ValueError:
        return False
    return abs(old - new) <= tolerance * max(abs(old), abs(new), 1.0)


def _texts(path: Path) -> dict[str, type]:
    """Return the columns that hold no numbers with a point: they are copied as they stand."""
    frame = pd.read_csv(path)
    return {name: str for name in frame.columns if frame[name].dtype != float}


def _read_run(place: Path, loss: str, seed: int) -> Run:
    own = place / "logits" / loss / f"seed-{seed}"
    content = json.loads((place / "calibrators" / loss / f"seed-{seed}.json").read_text())
    fitted = {name: from_json(each) for name, each in content.items()}

    def applied(split: str) -> Applied | None:
        if not (own / f"{split}.parquet").is_file():
            return None
        predictions: Predictions = read_predictions(own / f"{split}.parquet")
        return Applied(predictions, {name: fit(predictions.logits) for name, fit in fitted.items()})

    test = applied("test")
    assert test is not None
    return Run(loss, seed, test, applied("threshold"), fitted)


def _read_partner(place: Path, partner: str, kind: str, run: Run) -> Any:
    path = place / "shifted" / partner / run.loss / f"seed-{run.seed}.parquet"
    return read_predictions(path) if kind in SAME_CLASSES else read_foreign(path)
