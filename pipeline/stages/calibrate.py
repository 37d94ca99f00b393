"""Fit every calibrator of an experiment on its calibration split, and apply it to the others."""

from __future__ import annotations

from pathlib import Path

from pipeline.artifacts import (
    WEIGHTS,
    read_predictions,
    require_intact,
    whole_folder,
    write_json,
    write_log_probabilities,
)
from pipeline.calibrators import fit_calibrator, to_json
from pipeline.config import CalibratorConfig, read_config, read_plan
from pipeline.config.plan import require_row
from pipeline.errors import located

APPLIED_TO = ("threshold", "test")


def run(key: str, *, root: Path) -> None:
    """Write log-probabilities and fitted calibrators of every run of the experiment ``key``."""
    row = require_row(read_plan(root / "configs/plan.yaml").experiments, key)
    configs = {
        name: read_config(root / "configs/calibrators" / f"{name}.yaml", CalibratorConfig)
        for name in row.calibrators
    }
    logits = root / "data/logits" / row.study / row.experiment
    require_intact(logits, stage=f"train@{key}", without=[WEIGHTS])
    output = root / "data/probabilities" / row.study / row.experiment
    with whole_folder(output, hashed=True) as folder:
        for loss in row.losses:
            for seed in row.seeds:
                one_run = Path(loss, f"seed-{seed}")
                calibrate_run(logits / one_run, configs, folder / one_run)


def calibrate_run(logits: Path, configs: dict[str, CalibratorConfig], output: Path) -> None:
    """Fit on one run's calibration logits; write its other splits' log-probabilities."""
    calibration = read_predictions(logits / "calibration.parquet")
    fitted = {}
    for name, config in configs.items():
        with located(f"configs/calibrators/{name}.yaml on {logits / 'calibration.parquet'}"):
            fitted[name] = fit_calibrator(
                config.kind, calibration.logits, calibration.labels, **config.arguments
            )
    for split in APPLIED_TO:
        if (logits / f"{split}.parquet").is_file():
            predictions = read_predictions(logits / f"{split}.parquet")
            write_log_probabilities(
                {name: calibrator(predictions.logits) for name, calibrator in fitted.items()},
                output / f"{split}.parquet",
            )
    write_json(
        {name: to_json(calibrator) for name, calibrator in fitted.items()},
        output / "calibrators.json",
    )
