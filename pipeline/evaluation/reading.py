"""Read what training and calibration left of an experiment's runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from pipeline.evaluation.gallery import gallery_cases, gallery_table
from pipeline.evaluation.partners import PartnerRun
from pipeline.evaluation.run import Applied, Run, first_run
from pipeline.provenance import has_uncommitted_changes, package_versions, source_revision

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


def read_gallery(
    prepared: Path, runs: Sequence[Run], row: ExperimentRow, tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return the pictures of the model shown, with their images read from the prepared data."""
    shown = first_run(runs, row.headline_loss)
    points = tables["operating_points"]
    key = shown.key(row.headline_calibrator) | {"target": row.headline_target}
    point = points[(points[list(key)] == pd.Series(key)).all(axis=1)]
    chosen = gallery_cases(shown, row.headline_calibrator, point["threshold"].item())
    classes = read_json(prepared / "card.json")["classes"]
    cases = shown.test.predictions.cases[np.concatenate(list(chosen.values()))]
    images = _read_images(prepared, cases)
    return gallery_table(shown, row.headline_calibrator, classes, chosen, images)


def _read_images(prepared: Path, cases: Iterable[str]) -> dict[str, np.ndarray]:
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
