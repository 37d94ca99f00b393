"""Compute an experiment's numbers, with their intervals, from its stored predictions."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from pipeline import evaluation
from pipeline.artifacts import WEIGHTS, read_json, require_intact, whole_folder
from pipeline.config import read_plan
from pipeline.config.plan import ExperimentRow, require_row
from pipeline.errors import InputError


def run(key: str, *, root: Path) -> None:
    """Write the tables of the experiment ``key`` as CSV, and what they are about as JSON."""
    row = require_row(read_plan(root / "configs/plan.yaml").experiments, key)
    prepared = root / "data/prepared" / row.dataset
    logits = root / "data/logits" / row.study / row.experiment
    probabilities = root / "data/probabilities" / row.study / row.experiment
    require_intact(logits, stage=f"train@{key}", without=[WEIGHTS])
    require_intact(probabilities, stage=f"evaluate@{key}")
    if row.partners:
        require_intact(root / row.shifted, stage=f"shift@{key}")
    card = _read_card(prepared)
    _require_same_data(logits, row, card)
    experiment = evaluation.read_experiment(
        row,
        card,
        logits=logits,
        probabilities=probabilities,
        shifted=root / row.shifted,
        prepared=prepared,
    )
    tables = evaluation.compute_tables(experiment)
    provenance = evaluation.read_provenance(logits, row)
    if row.partners:
        provenance["partners"] = evaluation.read_partner_records(root / row.shifted, row)
    with whole_folder(root / "data/scores" / row.study / row.experiment, hashed=True) as folder:
        evaluation.write_scores(tables, row, card=card, provenance=provenance, folder=folder)


def _read_card(prepared: Path) -> dict[str, Any]:
    """Return a data set's card; its images are checked only where some of them are shown."""
    stage = f"data@{prepared.name}"
    require_intact(prepared, stage=stage, without=[".npy"])
    card: dict[str, Any] = read_json(prepared / "card.json")
    if card["show_images"]:
        require_intact(prepared, stage=stage)
    return card


def _require_same_data(logits: Path, row: ExperimentRow, card: Mapping[str, Any]) -> None:
    """Raise `InputError` if a run was trained on other data than the card describes."""
    for loss, seed in product(row.losses, row.seeds):
        path = logits / loss / f"seed-{seed}/run.json"
        record = read_json(path)
        stated = {"data_fingerprint": card["fingerprint"], "classes": card["classes"]}
        for key, value in stated.items():
            if record[key] != value:
                message = (
                    f"{path}: key '{key}': what card.json of the data states expected, got other"
                )
                raise InputError(message)
    if not set(card["critical_classes"]) <= set(card["classes"]):
        message = (
            f"{row.dataset}: card.json: critical classes expected among the classes, got other"
        )
        raise InputError(message)
