"""Experiments of which it is known what separates their methods: no network, only numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.config.claims import Part
from pipeline.config.plan import ExperimentRow
from pipeline.findings import Evidence
from pipeline.findings.measuring import Measured
from pipeline.findings.records import DatasetRecord
from pipeline.findings.verdicts import Standing, Tested

SEEDS = (0, 1, 2, 3, 4)
CALIBRATORS = ("identity", "temperature", "ats")
CENTRES = {"accuracy": 0.8, "balanced_accuracy": 0.7, "ece": 0.1, "nll": 0.5, "aurc": 0.05}

Effects = dict[tuple[str, str], dict[str, float]]
"""What a loss (first) under a calibrator (second) adds to each metric; a star stands for any."""


def experiment_row(dataset: str, *, study: str = "medical", **changes: Any) -> ExperimentRow:
    """A row of the plan; fields that a test does not name are beside the point."""
    values = {
        "study": study, "experiment": f"{dataset}-thin", "dataset": dataset, "network": "thin",
        "recipe": "short", "losses": ["cross_entropy", "gce"], "seeds": list(SEEDS),
        "calibrators": list(CALIBRATORS), "baseline": "cross_entropy", "headline_loss": "gce",
        "headline_calibrator": "ats", "risk_targets": [0.05], "headline_target": 0.05,
        "delta": 0.05, "partners": {}, "shifted": f"data/logits/{study}/{dataset}-thin",
    }  # fmt: skip
    return ExperimentRow(**values | changes)


def card(title: str = "Simulated") -> DatasetRecord:
    return DatasetRecord(
        title=title,
        cases={"train": 1000, "test": 200},
        patients={"train": 500, "test": 150},
        fingerprint="d" * 64,
    )


def evidence(
    dataset: str, effects: Effects | None = None, *, noise: float = 0.002, seed: int = 0,
    study: str = "medical", **changes: Any,
) -> Evidence:  # fmt: skip
    """An experiment whose methods share each seed's luck, and differ by effect and noise."""
    row = experiment_row(dataset, study=study, **changes)
    runs = table(row, effects or {}, noise=noise, seed=seed)
    return Evidence(row=row, card=card(), epochs=7, tables={"runs": runs})


def table(
    row: ExperimentRow, effects: Effects, *, noise: float, seed: int, **columns: Any
) -> pd.DataFrame:
    """A score table: one row a loss, calibrator and seed; `columns` are the same in all rows."""
    generator = np.random.default_rng(seed)
    luck = {number: generator.normal(0.0, 0.02, len(CENTRES)) for number in row.seeds}
    rows = []
    for loss in row.losses:
        for calibrator in row.calibrators:
            keys = (("*", calibrator), (loss, "*"), (loss, calibrator))
            added = {
                metric: sum(effects.get(key, {}).get(metric, 0.0) for key in keys)
                for metric in CENTRES
            }
            for number in row.seeds:
                values = {
                    metric: centre + shared + added[metric] + generator.normal(0, noise)
                    for (metric, centre), shared in zip(CENTRES.items(), luck[number], strict=True)
                }
                rows.append({"loss": loss, "calibrator": calibrator, "seed": number}
                            | columns | values)  # fmt: skip
    return pd.DataFrame(rows)


def part(**changes: Any) -> Part:
    """GCE's calibration error against cross-entropy's, expected lower, unless said otherwise."""
    values: dict[str, Any] = {
        "says": "Calibration error", "metric": "ece", "expected": "lower", "losses": ["gce"],
        "against_losses": ["cross_entropy"], "calibrators": ["identity"],
    }  # fmt: skip
    return Part(**values | changes)


def comparison(standing: Standing, dataset: str, *differences: float) -> Tested:
    """A comparison that stands so; 0.25 could have been seen."""
    found = Measured(f"medical/{dataset}", dataset, "gce − ce (identity)", differences, (dataset,))
    mean = sum(differences) / len(differences)
    return Tested(found, mean, None, None, None, None, standing, 0.25)
