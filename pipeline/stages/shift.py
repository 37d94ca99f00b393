"""Let every trained model of an experiment predict the test cases of one of its partners."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file

from pipeline.artifacts import read_json, read_prepared, whole_folder, write_json
from pipeline.config import read_plan
from pipeline.config.plan import require_row
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
    """Write data/shifted/STUDY/EXPERIMENT/PARTNER for the row ``key`` of the plan's shifts."""
    row = require_row(read_plan(root / "configs/plan.yaml").shifts, key)
    logits = root / "data/logits" / row.study / row.experiment
    partner = read_prepared(root / "data/prepared" / row.dataset)
    with located(f"partner {row.dataset} of {row.trained_on}"):
        require_partner(partner, row.kind, root / "data/prepared" / row.trained_on)
    folders = {
        (loss, seed): logits / loss / f"seed-{seed}" for loss in row.losses for seed in row.seeds
    }
    records = {each: read_json(folder / "run.json") for each, folder in folders.items()}
    fabric = start_device(next(iter(records.values())))
    if not fabric.is_global_zero:
        return
    runs = []
    with whole_folder(root / "data/shifted" / row.study / row.experiment / row.dataset) as output:
        for (loss, seed), folder in folders.items():
            with located(f"partner {row.dataset}, loss {loss}, seed {seed}"):
                predictions = predict_partner(
                    records[loss, seed],
                    load_file(folder / "weights.safetensors"),
                    partner,
                    kind=row.kind,
                    device=fabric.device,
                )
            write_shifted(predictions, output / loss / f"seed-{seed}.parquet")
            runs.append(run_record(loss, seed, records[loss, seed], predictions))
        write_json(shift_record(partner, row.kind, runs), output / "shift.json")
