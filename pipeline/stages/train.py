"""Train every loss and seed of one experiment; write logits, weights and where they come from."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.artifacts import read_prepared, whole_folder
from pipeline.checkpoints import Checkpoint
from pipeline.config import Recipe, read_config, read_plan
from pipeline.config.plan import require_row
from pipeline.hashes import HASHES
from pipeline.seeds import planned_seeds, train_seeds
from pipeline.side_by_side import train_side_by_side, workers_for
from pipeline.training import start_fabric


def run(key: str, *, root: Path) -> None:
    """Train what the experiment ``key`` of the plan still lacks; gather all its runs' files."""
    row = require_row(read_plan(root / "configs/plan.yaml").experiments, key)
    data = root / "data/prepared" / row.dataset
    prepared = read_prepared(data)
    fabric = start_fabric(read_config(root / f"configs/recipes/{row.recipe}.yaml", Recipe))
    # Whatever is wrong with a later loss is said before the first one is trained.
    seeds = list(planned_seeds(row, prepared, fabric, root=root))
    places = {seed.key: Checkpoint(root / "data/checkpoints" / seed.key) for seed in seeds}
    unfinished = [seed for seed in seeds if not places[seed.key].is_finished]
    workers = workers_for(len(unfinished), prepared)
    if workers > 1 and fabric.device.type == "cpu" and fabric.world_size == 1:
        print(f"{key}: {len(unfinished)} seeds to train, {workers} at a time")
        train_side_by_side(places, unfinished, data, workers=workers)
    else:
        for seed in train_seeds(places, unfinished, prepared, fabric):
            if fabric.is_global_zero:
                print(f"{seed}: trained")
    if fabric.is_global_zero:
        with whole_folder(root / "data/logits" / row.study / row.experiment, hashed=True) as folder:
            for seed in seeds:
                # The folder gets one list of hashes, of all its seeds.
                without_hashes = shutil.ignore_patterns(HASHES)
                place = folder / seed.row.loss / f"seed-{seed.seed}"
                shutil.copytree(places[seed.key].finished, place, ignore=without_hashes)
