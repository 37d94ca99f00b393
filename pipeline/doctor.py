"""What this machine has, and what a plan would cost on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.acquiring import MIRROR_VARIABLE, file_digest, mirrors
from pipeline.artifacts import read_json
from pipeline.config import (
    Dataset,
    NetworkConfig,
    Plan,
    Recipe,
    expand_plan,
    read_config,
    read_dataset,
    read_plan,
)
from pipeline.config.plan import ExperimentRow
from pipeline.provenance import package_versions

if TYPE_CHECKING:
    # At run time it is imported where it is needed: it takes torch with it.
    from pipeline.costing import Cost, Problem

GIGABYTE = 1e9


def diagnose(
    root: Path, studies: Sequence[str] = (), *, devices: int | None = None
) -> Iterator[str]:
    """Yield the lines of the diagnosis; the slow ones, timings of each network, come last.

    Parameters
    ----------
    root : Path
        The project's folder.
    studies : sequence of str
        What to cost; none for the current plan. Nothing is written either way.
    devices : int, optional
        Say as well what so many GPUs, or processes, like this machine's would take.

    Raises
    ------
    InputError
        If the plan, or a file it names, is absent or wrong.
    """
    yield from _machine(root)
    configs = root / "configs"
    plan = expand_plan(studies, configs) if studies else read_plan(configs / "plan.yaml")
    yield from _sources(root, plan)
    yield from _costs(root, plan, devices)


def _machine(root: Path) -> Iterator[str]:
    # Imported here, as by every command that can do without: it takes more than a second.
    import torch

    versions = ", ".join(f"{name} {version}" for name, version in package_versions().items())
    yield f"versions   {versions}"
    wanted = os.environ.get("PIPELINE_DEVICE", "auto")
    found = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device"
    threads = torch.get_num_threads()
    yield f"device     PIPELINE_DEVICE={wanted}; {found}; {threads} CPU threads"
    free = shutil.disk_usage(root).free / GIGABYTE
    yield f"disk       {free:.1f} GB free"


def _sources(root: Path, plan: Plan) -> Iterator[str]:
    from pipeline.adapters import EMBEDDED

    directories = mirrors()
    if not directories:
        yield f"mirrors    none: {MIRROR_VARIABLE} is not set"
    for directory in directories:
        state = "found" if directory.is_dir() else "NOT FOUND"
        yield f"mirror     {directory}: {state}"
    for name in plan.datasets:
        dataset = read_dataset(root / "configs", name)
        if dataset.adapter in EMBEDDED:
            yield f"source     {name}: comes with the pipeline"
        else:
            yield from (
                f"source     {name}: {each}" for each in _places(root, dataset, directories)
            )


def _places(root: Path, dataset: Dataset, directories: list[Path]) -> Iterator[str]:
    if folder := dataset.arguments.get("folder"):
        yield f"{folder} {'found' if (root / folder).is_dir() else 'NOT FOUND'}"
    for file in dataset.files:
        algorithm, expected = file.checksum
        held = [each / file.name for each in directories if (each / file.name).is_file()]
        good = [path for path in held if file_digest(path, algorithm) == expected]
        if good:
            place = f"in {good[0].parent}"
        elif held:
            place = f"in {held[0].parent} WITH ANOTHER CHECKSUM"
        else:
            place = f"to fetch from {file.url}" if file.url else "NOT FOUND and without a URL"
        yield f"{file.name} {place}"


def _costs(root: Path, plan: Plan, devices: int | None) -> Iterator[str]:
    from pipeline.costing import Cost, on_this_machine

    yield (
        f"plan       {plan.num_stages} stages; {len(plan.experiments)} of them train "
        f"{plan.num_seeds} seeds"
    )
    problems = {name: _problem(root, name) for name in plan.datasets}
    total = Cost(0.0, sum(each.prepared_bytes for each in problems.values() if each))
    num_unknown = 0
    for key, row in plan.experiments.items():
        problem = problems[row.dataset]
        if problem is None:
            yield f"cost       {key}: unknown until {row.dataset} is prepared"
            num_unknown += 1
            continue
        cost = _experiment_cost(root, row, problem)
        yield f"cost       {key}: {len(row.losses)} losses x {len(row.seeds)} seeds: {cost}"
        total += cost
    more = f", and {num_unknown} experiments more" if num_unknown else ""
    yield f"total      {total}{more}: training from nothing, {on_this_machine()}"
    if devices is not None:
        shared = Cost(total.seconds / devices, total.num_bytes)
        yield f"devices    {shared}{more}: at best, on {devices} like this one, none ever idle"
    if total.num_bytes > shutil.disk_usage(root).free:
        yield "WARNING    the disk is too small for that"


def _problem(root: Path, name: str) -> Problem | None:
    from pipeline.costing import Problem

    card = root / "data/prepared" / name / "card.json"
    if card.is_file():
        return Problem.of_card(read_json(card))
    return Problem.of_dataset(read_dataset(root / "configs", name))


def _experiment_cost(root: Path, row: ExperimentRow, problem: Problem) -> Cost:
    from pipeline.costing import Cost, seed_cost

    num_seeds = len(row.losses) * len(row.seeds)
    network = read_config(root / f"configs/networks/{row.network}.yaml", NetworkConfig)
    recipe = read_config(root / f"configs/recipes/{row.recipe}.yaml", Recipe)
    calibrated = Cost(0.0, problem.probability_bytes(len(row.calibrators)))
    one_seed = seed_cost(network, recipe, problem, num_seeds=num_seeds) + calibrated
    return one_seed * num_seeds
