"""Read what training and calibration left of an experiment's runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import read_json, read_log_probabilities, read_predictions
from pipeline.calibrators import from_json
from pipeline.config.plan import ExperimentRow
from pipeline.evaluation.run import Applied, Run
from pipeline.provenance import has_uncommitted_changes, package_versions, source_revision

RECORD_KEYS = (
    "revision",
    "dirty",
    "data_fingerprint",
    "config_hash",
    "logits_sha256",
    "versions",
    "device",
    "wall_seconds",
)


def read_runs(logits: Path, probabilities: Path, row: ExperimentRow) -> list[Run]:
    """Return every run of an experiment, in the plan's order.

    Raises
    ------
    InputError
        Naming the file that is absent or not what it must be.
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
