"""Read what training and calibration left of an experiment's runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from pipeline.artifacts import (
    ForeignPredictions,
    Predictions,
    read_foreign,
    read_json,
    read_log_probabilities,
    read_predictions,
)
from pipeline.calibrators import from_json
from pipeline.config.plan import ExperimentRow
from pipeline.config.study import SAME_CLASSES, PartnerKind
from pipeline.provenance import has_uncommitted_changes, package_versions, source_revision
from pipeline.tables.parts.experiment import Experiment
from pipeline.tables.parts.partners import PartnerRun
from pipeline.tables.parts.run import Applied, Run

RECORD_KEYS = (
    "revision",
    "dirty",
    "data_fingerprint",
    "config_hash",
    "logits_sha256",
    "versions",
    "device",
    "processor",
    "wall_seconds",
)


def read_experiment(
    row: ExperimentRow,
    card: dict[str, Any],
    *,
    logits: Path,
    probabilities: Path,
    shifted: Path,
    prepared: Path,
) -> Experiment:
    """Return all that an experiment's tables are computed from; images are read when asked for."""
    runs = read_runs(logits, probabilities, row)
    return Experiment(
        runs=runs,
        row=row,
        card=card,
        partners=read_partners(shifted, runs, row),
        history=read_histories(logits, row),
        images=partial(read_images, prepared),
    )


def read_runs(logits: Path, probabilities: Path, row: ExperimentRow) -> list[Run]:
    """Return every run of an experiment, in the plan's order.

    Raises `InputError`, naming the file that is absent or not what it must be.
    """
    return [
        Run(
            loss=loss,
            seed=seed,
            test=_read_applied(logits / folder, probabilities / folder, "test"),
            threshold=_read_threshold(logits / folder, probabilities / folder),
            calibrators={
                name: from_json(content)
                for name, content in read_json(probabilities / folder / "calibrators.json").items()
            },
        )
        for loss, seed, folder in _folders(row)
    ]


def read_partners(shifted: Path, runs: Sequence[Run], row: ExperimentRow) -> list[PartnerRun]:
    """Return what every run says of every partner of an experiment, partner by partner."""
    return [
        PartnerRun(run, partner, kind, _read_shifted(shifted / partner, run, kind))
        for partner, kind in row.partners.items()
        for run in runs
    ]


def read_partner_records(shifted: Path, row: ExperimentRow) -> dict[str, Any]:
    """Return, by partner, what its predictions were made from and by which revision."""
    return {partner: read_json(shifted / partner / "shift.json") for partner in row.partners}


def read_histories(logits: Path, row: ExperimentRow) -> pd.DataFrame:
    """Return the training histories of all runs below one another, with their loss and seed."""
    histories = [
        pd.read_csv(logits / folder / "history.csv").assign(loss=loss, seed=seed)
        for loss, seed, folder in _folders(row)
    ]
    table = pd.concat(histories, ignore_index=True)
    keys = ["loss", "seed", "epoch"]
    return table[keys + [name for name in table.columns if name not in keys]]


def read_provenance(logits: Path, row: ExperimentRow) -> dict[str, Any]:
    """Return what every run was made from, and what code evaluates it now."""
    runs = []
    for loss, seed, folder in _folders(row):
        record = read_json(logits / folder / "run.json")
        runs.append({"loss": loss, "seed": seed} | {key: record[key] for key in RECORD_KEYS})
    return {"runs": runs, "evaluated_by": evaluated_by()}


def evaluated_by() -> dict[str, Any]:
    """Return what code computes the numbers now."""
    return {
        "revision": source_revision(),
        "dirty": has_uncommitted_changes(),
        "versions": package_versions(),
    }


def read_images(prepared: Path, cases: Iterable[str]) -> dict[str, np.ndarray]:
    """Return the images of some cases of a prepared data set, by case."""
    # The table was checked when it was written; here one column is enough.
    names = pq.read_table(prepared / "cases.parquet", columns=["case"])["case"].to_pylist()
    places = {name: place for place, name in enumerate(names)}
    images = np.load(prepared / "images.npy", mmap_mode="r", allow_pickle=False)
    return {case: np.asarray(images[places[case]]) for case in cases}


def _read_shifted(folder: Path, run: Run, kind: PartnerKind) -> Predictions | ForeignPredictions:
    path = folder / run.loss / f"seed-{run.seed}.parquet"
    return read_predictions(path) if kind in SAME_CLASSES else read_foreign(path)


def _folders(row: ExperimentRow) -> Iterator[tuple[str, int, Path]]:
    for loss in row.losses:
        for seed in row.seeds:
            yield loss, seed, Path(loss, f"seed-{seed}")


def _read_threshold(logits: Path, probabilities: Path) -> Applied | None:
    if not (logits / "threshold.parquet").is_file():
        return None
    return _read_applied(logits, probabilities, "threshold")


def _read_applied(logits: Path, probabilities: Path, split: str) -> Applied:
    return Applied(
        read_predictions(logits / f"{split}.parquet"),
        read_log_probabilities(probabilities / f"{split}.parquet"),
    )
