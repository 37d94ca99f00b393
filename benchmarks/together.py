"""What an experiment's seeds take: one after another, side by side on all cores, and on Ray.

Run as ``python -m benchmarks together``. Each contender is the user's own command on a new
copy of the same small project, in a process of its own: what it costs to start is counted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.timing import at_least, fixed_threads, print_table
from pipeline.artifacts import write_json
from pipeline.cases import write_cases
from pipeline.config import write_plan
from pipeline.config.plan import ExperimentRow, Plan, StudyRow
from pipeline.hashes import write_hashes
from pipeline.metrics.side_by_side import available_cores

CONFIGS = Path(__file__).parents[1] / "configs"
NETWORK, RECIPE, LOSSES = "thin_densenet", "cpu_small", ("cross_entropy", "gce")
SIDE, NUM_CLASSES = 28, 4
CASES = {"train": 1500, "val": 200, "calibration": 200, "threshold": 200, "test": 400}
LEAST_SPEED_UP = 1.5
"""On two cores or more; Ray's own start takes some of it, so it is held to none."""

TRAIN, LAUNCH = ("train", "speed-trial"), ("launch",)


def run(num_seeds: int = 4) -> None:
    """Print the table; each contender is run once."""
    threads, cores = fixed_threads(), available_cores()
    print(f"{len(LOSSES)} losses x {num_seeds} seeds, {threads} thread each, {cores} cores")
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "project"
        write_project(project, num_seeds)
        alone = _seconds(project, TRAIN, workers=1)
        together = _seconds(project, TRAIN, workers=cores)
        on_ray = _seconds(project, LAUNCH, workers=1)
    rows = [
        ["one after another", f"{alone:.1f}", "1.00", ""],
        [
            "side by side",
            f"{together:.1f}",
            f"{alone / together:.2f}",
            at_least(alone / together, LEAST_SPEED_UP if cores > 1 else 0.9),
        ],
        ["on Ray, this machine alone", f"{on_ray:.1f}", f"{alone / on_ray:.2f}", ""],
    ]
    print_table("An experiment's training", ["seeds", "s", "times as fast", ""], rows)


def write_project(root: Path, num_seeds: int) -> None:
    """Write the configs, the plan and the prepared data of one experiment."""
    for kind, names in {"networks": [NETWORK], "recipes": [RECIPE], "losses": LOSSES}.items():
        (root / "configs" / kind).mkdir(parents=True)
        for name in names:
            shutil.copy(CONFIGS / kind / f"{name}.yaml", root / "configs" / kind)
    row = ExperimentRow(
        study="speed",
        experiment="trial",
        dataset="noise",
        network=NETWORK,
        recipe=RECIPE,
        losses=list(LOSSES),
        seeds=list(range(num_seeds)),
        calibrators=["identity"],
        baseline=LOSSES[0],
        headline_loss=LOSSES[1],
        headline_calibrator="identity",
        risk_targets=[0.05],
        headline_target=0.05,
        delta=0.05,
        partners={},
        shifted="data/logits/speed/trial",
    )
    study = StudyRow(study="speed", title="Speed", experiments=["trial"])
    plan = Plan(datasets={}, experiments={"speed-trial": row}, shifts={}, studies={"speed": study})
    write_plan(plan, root / "configs/plan.yaml")
    _write_prepared(root / "data/prepared/noise")


def _write_prepared(folder: Path) -> None:
    folder.mkdir(parents=True)
    splits = [split for split, number in CASES.items() for _ in range(number)]
    random, numbers = np.random.default_rng(0), range(len(splits))
    shape = (len(splits), SIDE, SIDE, 1)
    np.save(folder / "images.npy", random.integers(256, size=shape, dtype=np.uint8))
    cases = pd.DataFrame(
        {
            "case": [f"case-{number}" for number in numbers],
            "patient": [f"patient-{number}" for number in numbers],
            "group": [f"patient-{number}" for number in numbers],
            "site": "north",
            "sex": "not recorded",
            "age": np.nan,
            "label": np.arange(len(splits), dtype=np.int32) % NUM_CLASSES,
            "split": splits,
            "source": "noise",
            "source_sha256": "a" * 64,
            "pixel_sha256": [f"{number:064x}" for number in numbers],
        }
    ).assign(spacing=None, truth=None)
    write_cases(cases, folder / "cases.parquet")
    card = {
        "classes": [f"class {number}" for number in range(NUM_CLASSES)],
        "image_size": [SIDE, SIDE],
        "channels": 1,
        "dtype": "uint8",
        "fingerprint": "0" * 64,
        "reuse": {},
    }
    write_json(card, folder / "card.json")
    write_hashes(folder)


def _seconds(project: Path, command: tuple[str, ...], *, workers: int) -> float:
    for made in ("checkpoints", "logits"):
        shutil.rmtree(project / "data" / made, ignore_errors=True)
    environment = os.environ | {"PIPELINE_DEVICE": "cpu", "PIPELINE_WORKERS": str(workers)}
    environment |= {"PYTHONPATH": str(CONFIGS.parent)}
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pipeline", *command],
        cwd=project,
        env=environment,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


if __name__ == "__main__":
    run(*(int(argument) for argument in sys.argv[1:]))
