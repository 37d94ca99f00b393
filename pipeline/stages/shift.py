"""Let every trained model of an experiment predict the test cases of its partners."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from pipeline.artifacts import (
    WEIGHTS,
    Prepared,
    read_json,
    read_prepared,
    require_intact,
    whole_folder,
    write_json,
)
from pipeline.config import read_plan
from pipeline.config.plan import require_row
from pipeline.config.study import PartnerKind
from pipeline.errors import located
from pipeline.shifting import (
    predict_partner,
    require_partner,
    run_record,
    shift_record,
    start_device,
    write_shifted,
)


def run(key: str, *, root: Path) -> None:
    """Write data/shifted/STUDY/EXPERIMENT, a folder a partner, for a row of the plan's shifts."""
    row = require_row(read_plan(root / "configs/plan.yaml").shifts, key)
    logits = root / "data/logits" / row.study / row.experiment
    require_intact(logits, stage=f"train@{key}")
    trained_on = root / "data/prepared" / row.trained_on
    require_intact(trained_on, stage=f"data@{row.trained_on}", without=[".npy"])
    partners = {name: read_prepared(root / "data/prepared" / name) for name in row.partners}
    for name, kind in row.partners.items():
        with located(f"partner {name} of {row.trained_on}"):
            require_partner(partners[name], kind, trained_on)
    folders = {
        (loss, seed): logits / loss / f"seed-{seed}" for loss in row.losses for seed in row.seeds
    }
    fabric = start_device(read_json(next(iter(folders.values())) / "run.json"))
    if not fabric.is_global_zero:
        return
    with whole_folder(root / "data/shifted" / row.study / row.experiment, hashed=True) as output:
        for name, kind in row.partners.items():
            with located(f"partner {name}"):
                _predict(partners[name], kind, folders, output / name, device=fabric.device)


def _predict(
    partner: Prepared,
    kind: PartnerKind,
    folders: Mapping[tuple[str, int], Path],
    output: Path,
    *,
    device: Any,
) -> None:
    """Write what every run says of one partner, and where that comes from."""
    runs = []
    for (loss, seed), folder in folders.items():
        record = read_json(folder / "run.json")
        weights = load_file(folder / WEIGHTS)
        with located(f"loss {loss}, seed {seed}"):
            predictions = predict_partner(record, weights, partner, kind=kind, device=device)
        write_shifted(predictions, output / loss / f"seed-{seed}.parquet")
        runs.append(run_record(loss, seed, record, predictions))
    write_json(shift_record(partner, kind, runs), output / "shift.json")
