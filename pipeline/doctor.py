"""What this machine has, and what the current plan would cost on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.acquiring import MIRROR_VARIABLE, file_digest, mirrors
from pipeline.artifacts import read_json
from pipeline.config import Dataset, NetworkConfig, Plan, Recipe, read_config, read_plan
from pipeline.provenance import package_versions

GIGABYTE = 1e9


def diagnose(root: Path) -> Iterator[str]:
    """Yield the lines of the diagnosis; the slow ones, timings of each network, come last.

    Raises
    ------
    InputError
        If the plan, or a file it names, is absent or wrong.
    """
    yield from _machine(root)
    plan = read_plan(root / "configs/plan.yaml")
    yield from _sources(root, plan)
    yield from _costs(root, plan)


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
    directories = mirrors()
    if not directories:
        yield f"mirrors    none: {MIRROR_VARIABLE} is not set"
    for directory in directories:
        state = "found" if directory.is_dir() else "NOT FOUND"
        yield f"mirror     {directory}: {state}"
    for name in plan.datasets:
        dataset = read_config(root / f"configs/datasets/{name}.yaml", Dataset)
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
            yield f"source     {name}: {file.name} {place}"


def _costs(root: Path, plan: Plan) -> Iterator[str]:
    from pipeline.costing import Cost, Problem, seed_cost

    num_seeds = sum(len(row.seeds) for row in plan.runs.values())
    yield f"plan       {plan.num_stages} stages; {len(plan.runs)} of them train {num_seeds} seeds"
    total, num_unknown = Cost(0.0, 0.0), 0
    one_seed: dict[tuple[str, str, str], Cost] = {}
    for key, row in plan.runs.items():
        card = root / "data/prepared" / row.dataset / "card.json"
        if not card.is_file():
            yield f"cost       {key}: unknown until its data set is prepared"
            num_unknown += 1
            continue
        method = (row.dataset, row.network, row.recipe)
        if method not in one_seed:
            network = read_config(root / f"configs/networks/{row.network}.yaml", NetworkConfig)
            recipe = read_config(root / f"configs/recipes/{row.recipe}.yaml", Recipe)
            one_seed[method] = seed_cost(network, recipe, Problem.of_card(read_json(card)))
        cost = one_seed[method] * len(row.seeds)
        yield f"cost       {key}: {cost} for {len(row.seeds)} seeds"
        total += cost
    more = f", and {num_unknown} runs more" if num_unknown else ""
    yield f"total      {total}{more}: training from nothing, one process on this machine"
    if total.num_bytes > shutil.disk_usage(root).free:
        yield "WARNING    the disk is too small for that"
