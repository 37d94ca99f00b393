"""Whether the predictions of partners are still those that their records tell of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.artifacts import Prepared, load_prepared, read_foreign, read_json, read_predictions
from pipeline.config.plan import ExperimentRow
from pipeline.config.study import SAME_CLASSES
from pipeline.provenance import array_sha256
from pipeline.verifying.data import case_differences
from pipeline.verifying.differences import Difference


def shifted_differences(root: Path, row: ExperimentRow) -> Iterator[Difference]:
    """Yield where an experiment's partners were predicted otherwise than is stored.

    By each partner's `shift.json`: from which prepared data, by which trained networks, with which
    logits; and case by case against the prepared data.
    """
    for partner in row.partners:
        name = f"{row.shifted}/{partner}"
        prepared = load_prepared(root / "data/prepared" / partner)
        record = read_json(root / name / "shift.json")
        data = prepared.card["fingerprint"]
        if record["data_fingerprint"] != data:
            place = "data_fingerprint (the prepared data's card.json)"
            yield Difference(f"{name}/shift.json", place, record["data_fingerprint"], data)
        stated = {(run["loss"], run["seed"]): run for run in record["runs"]}
        for loss in row.losses:
            for seed in row.seeds:
                if (run := stated.get((loss, seed))) is None:
                    place = f"loss {loss}, seed {seed}"
                    yield Difference(f"{name}/shift.json", place, "nothing", "a record")
                else:
                    yield from _run_differences(root, row, partner, run, prepared)


def _run_differences(
    root: Path, row: ExperimentRow, partner: str, stated: dict[str, Any], prepared: Prepared
) -> Iterator[Difference]:
    place = f"{stated['loss']}/seed-{stated['seed']}"
    trained = read_json(root / f"data/logits/{row.study}/{row.experiment}/{place}/run.json")
    if stated["trained_logits_sha256"] != trained["logits_sha256"]:
        path = f"{row.shifted}/{partner}/shift.json"
        what = f"trained_logits_sha256 of {place} (its run.json)"
        yield Difference(path, what, stated["trained_logits_sha256"], trained["logits_sha256"])
    path = f"{row.shifted}/{partner}/{place}.parquet"
    read = read_predictions if row.partners[partner] in SAME_CLASSES else read_foreign
    predictions = read(root / path)
    if (found := array_sha256(predictions.logits)) != stated["logits_sha256"]:
        what = "sha256 of the logits (shift.json)"
        yield Difference(path, what, stated["logits_sha256"], found)
    yield from case_differences(path, predictions, prepared.cases)
