"""From the plan to finished seeds: what is missing, in which order, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from lightning_fabric import Fabric

from pipeline.artifacts import Prepared, read_prepared
from pipeline.checkpoints import SECONDS_BETWEEN_SAVES, Checkpoint
from pipeline.config import read_plan
from pipeline.config.plan import ExperimentRow
from pipeline.costing import Problem, seed_cost
from pipeline.errors import InputError
from pipeline.launching.agreement import own_identity
from pipeline.launching.cluster import Resources, cluster, processors_of, wanted_resources
from pipeline.launching.dispatch import Dispatch, Launched
from pipeline.launching.worker import Processor
from pipeline.seeds import PlannedSeed, planned_seeds
from pipeline.training.processor import processor


def launch(
    studies: Sequence[str],
    *,
    root: Path,
    address: str | None = None,
    seeds_per_gpu: int = 1,
    seconds_between_saves: float = SECONDS_BETWEEN_SAVES,
) -> None:
    """Train every seed of the plan that is not finished, on a Ray cluster.

    Parameters
    ----------
    studies : sequence of str
        Of the plan; all of them if none.
    root : Path
        The project's folder: data are read there, and finished seeds kept in `data/checkpoints`.
    address : str, optional
        Of a cluster that this machine belongs to; without one, this machine's cores are one.
    seeds_per_gpu : int
        How many seeds share a GPU.
    seconds_between_saves : float
        Least time between two states of a seed that come back.

    Raises
    ------
    InputError
        If a study is not planned, its data are not prepared or a worker is not like this machine,
        before anything is trained; at the end, if seeds could not be trained.
    """
    rows = _rows(root, studies)
    resources = wanted_resources(seeds_per_gpu)
    data = {name: read_prepared(root / "data/prepared" / name) for name in _datasets(rows)}
    planned = [(row, _planned(row, data[row.dataset], root=root)) for row in rows]
    identity = own_identity()
    data_bytes = sum(each.images.nbytes for each in data.values())
    with cluster(address, resources, data_bytes=data_bytes) as ray:
        kinds = processors_of(ray, resources, identity)
        _warn_of_other_bits(kinds, resources)
        missing = [(row, _missing(seeds, kinds, resources, root)) for row, seeds in planned]
        launched = [each for _, some in _longest_first(missing, data, resources) for each in some]
        number = sum(len(seeds) for _, seeds in planned)
        print(f"{len(launched)} of {number} seeds to train")
        dispatch = Dispatch(ray, resources, identity, root, seconds_between_saves)
        dispatch.run(launched, data)


def _rows(root: Path, studies: Sequence[str]) -> list[ExperimentRow]:
    plan = read_plan(root / "configs/plan.yaml")
    if strangers := [name for name in studies if name not in plan.studies]:
        known = ", ".join(plan.studies) or "none"
        message = (
            f"configs/plan.yaml: no study {strangers[0]}; it has: {known}: "
            "`python -m pipeline plan STUDY...` plans others"
        )
        raise InputError(message)
    return [row for row in plan.experiments.values() if not studies or row.study in studies]


def _datasets(rows: Iterable[ExperimentRow]) -> list[str]:
    return list(dict.fromkeys(row.dataset for row in rows))


def _planned(row: ExperimentRow, prepared: Prepared, *, root: Path) -> list[PlannedSeed]:
    # Nothing is trained here, so the device is the one that every machine has.
    return list(planned_seeds(row, prepared, Fabric(accelerator="cpu", devices=1), root=root))


def _missing(
    seeds: list[PlannedSeed], kinds: list[Processor], resources: Resources, root: Path
) -> list[Launched]:
    """Return the seeds that are finished on no kind of processor, with their place on each."""
    found = []
    for seed in seeds:
        on_kinds = [
            replace(
                seed, inputs={**seed.inputs, "device_type": resources.device, "processor": kind}
            )
            for kind in kinds
        ]
        places = {each.key: Checkpoint(root / "data/checkpoints" / each.key) for each in on_kinds}
        if not any(place.is_finished for place in places.values()):
            found.append(Launched(on_kinds[0], places))
    return found


def _longest_first(
    missing: list[tuple[ExperimentRow, list[Launched]]],
    data: dict[str, Prepared],
    resources: Resources,
) -> list[tuple[ExperimentRow, list[Launched]]]:
    """Return experiments by what a seed of theirs would cost here, so that none is begun late."""
    some = [(row, seeds) for row, seeds in missing if seeds]
    if len(some) < 2 or not _has(resources.device):
        return some

    def seconds(pair: tuple[ExperimentRow, list[Launched]]) -> float:
        row, seeds = pair
        problem = Problem.of_card(data[row.dataset].card)
        return seed_cost(seeds[0].seed.network, seeds[0].seed.recipe, problem).seconds

    return sorted(some, key=seconds, reverse=True)


def _has(device: str) -> bool:
    """Return whether this machine has what the cluster trains on."""
    return device == "cpu" or torch.cuda.is_available()


def _warn_of_other_bits(kinds: list[Processor], resources: Resources) -> None:
    here = processor(torch.device(resources.device)) if _has(resources.device) else {}
    if resources.device == "cpu":
        here["threads"] = resources.threads
    for kind in kinds:
        if kind != here:
            described = ", ".join(f"{name} {value}" for name, value in kind.items())
            print(
                f"note: some workers have another processor ({described}): what they train has "
                "other bits and is kept under its own key, so `dvc repro` here trains it again"
            )
