"""The seeds of the plan: what each is trained from, and the files that it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from lightning_fabric import Fabric
from safetensors.torch import save as weights_bytes

from pipeline.artifacts import WEIGHTS, Prepared, write_json, write_predictions
from pipeline.checkpoints import Checkpoint
from pipeline.config import LossConfig, NetworkConfig, Recipe, read_config
from pipeline.config.plan import ExperimentRow, RunRow
from pipeline.provenance import fingerprint
from pipeline.training import Fitted, Job, State, Task, train_together

Tell = Callable[["PlannedSeed", int, bool], None]
"""Told after an epoch whose it was, how many are done, and whether the state was saved."""


@dataclass(frozen=True)
class PlannedSeed:
    """One seed to train, small enough to be sent to another process or machine.

    Attributes
    ----------
    row : RunRow
        The experiment and the loss.
    network, loss, recipe : configs
        What the row's names stand for.
    seed : int
    inputs : dict
        All that the result depends on, on the device where it was planned.
    """

    row: RunRow
    network: NetworkConfig
    loss: LossConfig
    recipe: Recipe
    seed: int
    inputs: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.row.experiment}, {self.row.loss}, seed {self.seed}"

    @cached_property
    def key(self) -> str:
        """Hash of the inputs: the name of its checkpoint."""
        return fingerprint(self.inputs)

    def task(self, prepared: Prepared, fabric: Fabric) -> Task:
        """Return what is trained, on these data and this device."""
        return Task(self.row, self.network, self.loss, self.recipe, prepared, fabric)


def planned_seeds(
    row: ExperimentRow, prepared: Prepared, fabric: Fabric, *, root: Path
) -> Iterator[PlannedSeed]:
    """Yield an experiment's seeds, loss by loss, their configs read.

    Raises
    ------
    InputError
        If a config, the data or what they make together cannot be trained.
    """
    for run in row.runs():
        task = read_task(run, prepared, fabric, root=root)
        for seed in run.seeds:
            inputs = task.inputs(seed)
            yield PlannedSeed(run, task.network, task.loss, task.recipe, seed, inputs)


def read_task(row: RunRow, prepared: Prepared, fabric: Fabric, *, root: Path) -> Task:
    """Return one loss of an experiment, its configs read and checked."""
    return Task(
        row=row,
        network=read_config(root / f"configs/networks/{row.network}.yaml", NetworkConfig),
        loss=read_config(root / f"configs/losses/{row.loss}.yaml", LossConfig),
        recipe=read_config(root / f"configs/recipes/{row.recipe}.yaml", Recipe),
        prepared=prepared,
        fabric=fabric,
    )


def train_seeds(
    checkpoints: Mapping[str, Checkpoint],
    seeds: Sequence[PlannedSeed],
    prepared: Prepared,
    fabric: Fabric,
    *,
    tell: Tell | None = None,
) -> Iterator[PlannedSeed]:
    """Train seeds of one experiment from where they were left; yield each when its files are kept.

    Parameters
    ----------
    checkpoints : mapping
        By a seed's key, where its files are kept.
    seeds, prepared, fabric
        What is trained, on what and where.
    tell : callable, optional
        Told of every epoch but the last.
    """
    tasks = {seed.row.loss: seed.task(prepared, fabric) for seed in seeds}
    jobs = [
        Job(
            method=tasks[seed.row.loss].method,
            seed=seed.seed,
            resume=checkpoints[seed.key].load(fabric.device),
            save=_saving(seed, checkpoints[seed.key], tell) if fabric.is_global_zero else None,
        )
        for seed in seeds
    ]
    if not seeds:
        return
    # All losses of an experiment learn from the same cases, which the device holds once.
    data = tasks[seeds[0].row.loss].data
    for job, fitted in train_together(jobs, data, fabric=fabric):
        seed = next(each for each, its in zip(seeds, jobs, strict=True) if its is job)
        if fabric.is_global_zero:
            keep_seed(tasks[seed.row.loss], seed.seed, fitted, checkpoints[seed.key])
        fabric.barrier()
        yield seed


def _saving(
    seed: PlannedSeed, checkpoint: Checkpoint, tell: Tell | None
) -> Callable[[State], None]:
    def save(state: State) -> None:
        saved = checkpoint.save(state)
        if tell is not None:
            tell(seed, len(state["history"]), saved)

    return save


def keep_seed(task: Task, seed: int, fitted: Fitted, checkpoint: Checkpoint) -> None:
    """Write what a trained seed leaves: logits of every split, weights, history and record."""
    predictions = {split: task.predict(fitted, split, seed=seed) for split in task.splits}
    with checkpoint.finishing() as folder:
        for split, each in predictions.items():
            write_predictions(each, folder / f"{split}.parquet")
        (folder / WEIGHTS).write_bytes(weights_bytes(fitted.weights()))
        pd.DataFrame(fitted.history).to_csv(folder / "history.csv", index=False)
        write_json(task.record(seed, fitted, predictions), folder / "run.json")
