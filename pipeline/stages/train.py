"""Train every loss and seed of one experiment; write logits, weights and where they come from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
from lightning_fabric import Fabric
from safetensors.torch import save as weights_bytes

from pipeline.artifacts import (
    WEIGHTS,
    Prepared,
    read_prepared,
    whole_folder,
    write_json,
    write_predictions,
)
from pipeline.checkpoints import Checkpoint
from pipeline.config import LossConfig, NetworkConfig, Recipe, read_config, read_plan
from pipeline.config.plan import RunRow, require_row
from pipeline.hashes import HASHES
from pipeline.provenance import fingerprint
from pipeline.training import Task, start_fabric, train


def run(key: str, *, root: Path) -> None:
    """Train what the experiment ``key`` of the plan still lacks; gather all its runs' files."""
    row = require_row(read_plan(root / "configs/plan.yaml").experiments, key)
    prepared = read_prepared(root / "data/prepared" / row.dataset)
    fabric = start_fabric(read_config(root / f"configs/recipes/{row.recipe}.yaml", Recipe))
    for each in row.runs():
        # Whatever is wrong with a later loss is said before the first one is trained.
        make_task(each, prepared, fabric, root=root)
    finished = {
        each.loss: train_seeds(make_task(each, prepared, fabric, root=root), root=root)
        for each in row.runs()
    }
    if fabric.is_global_zero:
        with whole_folder(root / "data/logits" / row.study / row.experiment, hashed=True) as folder:
            for loss, checkpoints in finished.items():
                for seed, checkpoint in checkpoints.items():
                    # The folder gets one list of hashes, of all its seeds.
                    without_hashes = shutil.ignore_patterns(HASHES)
                    place = folder / loss / f"seed-{seed}"
                    shutil.copytree(checkpoint.finished, place, ignore=without_hashes)


def make_task(row: RunRow, prepared: Prepared, fabric: Fabric, *, root: Path) -> Task:
    """Return one loss of an experiment, its configs read and checked."""
    return Task(
        row=row,
        network=read_config(root / f"configs/networks/{row.network}.yaml", NetworkConfig),
        loss=read_config(root / f"configs/losses/{row.loss}.yaml", LossConfig),
        recipe=read_config(root / f"configs/recipes/{row.recipe}.yaml", Recipe),
        prepared=prepared,
        fabric=fabric,
    )


def train_seeds(task: Task, *, root: Path) -> dict[int, Checkpoint]:
    """Train the seeds of one loss that are not finished; return where each seed's files are."""
    checkpoints = {
        seed: Checkpoint(root / "data/checkpoints" / fingerprint(task.inputs(seed)))
        for seed in task.row.seeds
    }
    for seed, checkpoint in checkpoints.items():
        if not checkpoint.is_finished:
            train_seed(task, seed, checkpoint)
        task.fabric.barrier()
    return checkpoints


def train_seed(task: Task, seed: int, checkpoint: Checkpoint) -> None:
    """Train one seed from where it was left, and keep its files."""
    fabric = task.fabric
    state, save = checkpoint.load(fabric.device), checkpoint.save if fabric.is_global_zero else None
    fitted = train(task.method, task.data, seed=seed, fabric=fabric, resume=state, save=save)
    if fabric.is_global_zero:
        predictions = {split: task.predict(fitted, split, seed=seed) for split in task.splits}
        with checkpoint.finishing() as folder:
            for split, each in predictions.items():
                write_predictions(each, folder / f"{split}.parquet")
            (folder / WEIGHTS).write_bytes(weights_bytes(fitted.weights()))
            pd.DataFrame(fitted.history).to_csv(folder / "history.csv", index=False)
            write_json(task.record(seed, fitted, predictions), folder / "run.json")
        print(f"{task.row.experiment}, {task.row.loss}, seed {seed}: trained")
