"""Compute an experiment's numbers, with their intervals, from its stored predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline import evaluation
from pipeline.artifacts import read_json, whole_folder, write_json
from pipeline.config import read_plan
from pipeline.config.plan import ExperimentRow, require_row

BOOTSTRAP = {"num_resamples": 1000, "seed": 0}


def run(key: str, *, root: Path) -> None:
    """Write the tables of the experiment ``key`` as CSV, and what they are about as JSON."""
    row = require_row(read_plan(root / "configs/plan.yaml").experiments, key)
    card = read_json(root / "data/prepared" / row.dataset / "card.json")
    logits = root / "data/logits" / row.study / row.experiment
    runs = evaluation.read_runs(
        logits, root / "data/probabilities" / row.study / row.experiment, row
    )
    tables = experiment_tables(runs, row, classes=card["classes"])
    tables["history"] = evaluation.read_histories(logits, row)
    with whole_folder(root / "data/scores" / row.study / row.experiment) as folder:
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False)
        about = row.model_dump() | {
            "dataset": card,
            "bootstrap": BOOTSTRAP | {"level": 0.95, "unit": "patient"},
        }
        write_json(about, folder / "experiment.json")
        provenance = evaluation.read_provenance(logits, row)
        write_json(provenance, folder / "provenance.json")


def experiment_tables(
    runs: Sequence[evaluation.Run], row: ExperimentRow, *, classes: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Return every table that is made from predictions, by name."""
    scores = evaluation.runs_table(runs)
    points = evaluation.operating_points_table(runs, targets=row.risk_targets, delta=row.delta)
    return {
        "runs": scores,
        "summary": evaluation.summary_table(runs, scores, **BOOTSTRAP),
        "risk_coverage": evaluation.risk_coverage_table(runs),
        "exact_band": evaluation.exact_band_table(runs),
        "reliability": evaluation.reliability_table(runs, seed=BOOTSTRAP["seed"]),
        "operating_points": points,
        "per_class": evaluation.per_class_table(runs, classes, points),
        "calibrators": evaluation.calibrators_table(runs),
    }
