"""Whether data and logits are still those that the results were made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from pipeline.artifacts import (
    ForeignPredictions,
    Predictions,
    Prepared,
    load_prepared,
    read_foreign,
    read_json,
    read_predictions,
)
from pipeline.config.plan import ExperimentRow, Plan
from pipeline.config.reading import Strict, check_config, read_yaml
from pipeline.config.study import SAME_CLASSES
from pipeline.hashes import HASHES, changed_files, file_digest
from pipeline.provenance import array_sha256, fingerprint
from pipeline.verifying.differences import Difference, readable

LOCK = "dvc.lock"
MAX_LOCK_BYTES = 20_000_000

ARRAY_COLUMNS = ("spacing", "truth")
"""Columns of the cases whose cells are lists, which Parquet gives back as arrays."""


def prepared_differences(root: Path, dataset: str) -> Iterator[Difference]:
    """Yield what the prepared data set is no more: its table's fingerprint, each case's pixels."""
    # Imported here: it brings the adapters along, which nothing else needs.
    from pipeline.preparing.card import cases_fingerprint  # noqa: PLC0415

    name = f"data/prepared/{dataset}"
    prepared = load_prepared(root / name)
    cases = prepared.cases
    lists = {column: cases[column].map(_as_list) for column in ARRAY_COLUMNS}
    found = cases_fingerprint(cases.assign(**lists))
    if found != prepared.card["fingerprint"]:
        stated = prepared.card["fingerprint"]
        yield Difference(f"{name}/cases.parquet", "fingerprint (card.json)", stated, found)
    for image, case, stated in zip(
        prepared.images, cases["case"], cases["pixel_sha256"], strict=True
    ):
        little_endian = np.ascontiguousarray(image, image.dtype.newbyteorder("<"))
        pixels = hashlib.sha256(little_endian.tobytes()).hexdigest()
        if pixels != stated:
            place = f"pixels of case {case} (cases.parquet)"
            yield Difference(f"{name}/images.npy", place, stated, pixels)


def hash_differences(root: Path, name: str) -> Iterator[Difference]:
    """Yield the files of a folder that are not what its stage wrote."""
    for file, stated, found in changed_files(root / name):
        yield Difference(f"{name}/{file}", f"sha256 ({HASHES})", stated, found)


def logits_differences(root: Path, row: ExperimentRow) -> Iterator[Difference]:
    """Yield where an experiment's stored predictions are not what its run records state."""
    prepared = load_prepared(root / "data/prepared" / row.dataset)
    for loss in row.losses:
        for seed in row.seeds:
            name = f"data/logits/{row.study}/{row.experiment}/{loss}/seed-{seed}"
            yield from readable(_run_differences(root, name, prepared), name=name, root=root)


def _run_differences(root: Path, name: str, prepared: Prepared) -> Iterator[Difference]:
    record = read_json(root / name / "run.json")
    data = prepared.card["fingerprint"]
    if record["data_fingerprint"] != data:
        place = "data_fingerprint (the prepared data's card.json)"
        yield Difference(f"{name}/run.json", place, record["data_fingerprint"], data)
    if record["classes"] != (classes := prepared.card["classes"]):
        place = "classes (the prepared data's card.json)"
        yield Difference(
            f"{name}/run.json", place, ", ".join(record["classes"]), ", ".join(classes)
        )
    hashes = {}
    for split, stated in record["logits_sha256_by_split"].items():
        path = f"{name}/{split}.parquet"
        predictions = read_predictions(root / path)
        hashes[split] = array_sha256(predictions.logits)
        if hashes[split] != stated:
            yield Difference(path, "sha256 of the logits (run.json)", stated, hashes[split])
        yield from case_differences(path, predictions, prepared.cases)
    if record["logits_sha256"] != fingerprint(hashes):
        place = "logits_sha256"
        yield Difference(f"{name}/run.json", place, record["logits_sha256"], fingerprint(hashes))


def case_differences(
    path: str, predictions: Predictions | ForeignPredictions, cases: pd.DataFrame
) -> Iterator[Difference]:
    """Yield the cases whose label, if any, or patient is another than in the prepared data."""
    known = cases.set_index("case")[["label", "patient"]]
    labels = {"label": predictions.labels} if isinstance(predictions, Predictions) else {}
    stored = pd.DataFrame(labels | {"patient": predictions.patients}, index=predictions.cases)
    for case in stored.index.difference(known.index):
        yield Difference(path, f"case {case}", "a row", "no such case in the prepared data")
    shared = stored[stored.index.isin(known.index)]
    expected = known.loc[shared.index]
    for column in stored.columns:
        wrong = (shared[column].to_numpy() != expected[column].to_numpy()).nonzero()[0]
        for row in wrong:
            values = (str(table[column].iloc[row]) for table in (shared, expected))
            yield Difference(path, f"case {shared.index[row]}: {column}", *values)


def datasets_of(rows: Iterable[ExperimentRow]) -> list[str]:
    """Return the data sets of some experiments, each one's own before its partners, each once."""
    return list(dict.fromkeys(name for row in rows for name in (row.dataset, *row.partners)))


def recorded_differences(root: Path, plan: Plan, study: str) -> Iterator[Difference]:
    """Yield the outputs of a study's stages that are not what `dvc.lock` records of them.

    A changed file of a folder is named where DVC's cache still knows what the folder held. Stages
    that `dvc.lock` does not know are passed over, and outputs that are not here.
    """
    yield from stage_differences(root, *_stages(plan, study))


def stage_differences(root: Path, *names: str) -> Iterator[Difference]:
    """Yield the outputs of the stages named that are not what `dvc.lock` records of them."""
    path = root / LOCK
    if not path.is_file():
        return
    lock = check_config(read_yaml(path, max_bytes=MAX_LOCK_BYTES), _Lock, place=path)
    for stage in names:
        outs = lock.stages[stage].outs if stage in lock.stages else []
        for out in outs:
            yield from _out_differences(root, stage, out)


def _stages(plan: Plan, study: str) -> Iterator[str]:
    rows = {key: row for key, row in plan.experiments.items() if row.study == study}
    for dataset in datasets_of(rows.values()):
        yield f"data@{dataset}"
    yield from (f"train@{key}" for key in rows)
    yield from (f"shift@{key}" for key, row in plan.shifts.items() if row.study == study)
    yield from (f"evaluate@{key}" for key in rows)
    yield f"report@{study}"


class _Out(BaseModel):
    path: str
    md5: str = ""


class _Stage(BaseModel):
    outs: list[_Out] = []


class _Lock(Strict):
    """What is read of ``dvc.lock``."""

    model_config = ConfigDict(extra="ignore")

    stages: dict[str, _Stage] = {}


def _out_differences(root: Path, stage: str, out: _Out) -> Iterator[Difference]:
    path, stated = root / out.path, out.md5
    if not path.exists():
        return
    files = _file_hashes(path)
    found = _folder_md5(files) if path.is_dir() else files["."]
    if found == stated:
        return
    place = f"md5 (dvc.lock, {stage})"
    before = _recorded_files(root, stated)
    if before is None:
        yield Difference(out.path, place, stated, found)
        return
    for name in sorted({*before, *files}):
        if before.get(name) != files.get(name):
            hashes = (table.get(name, "no such file") for table in (before, files))
            yield Difference(f"{out.path}/{name}", place, *hashes)


def _file_hashes(path: Path) -> dict[str, str]:
    """Return the MD5 of a file, or of each file in a folder, by its way from there."""
    inside = sorted(each for each in path.rglob("*") if each.is_file())
    files = inside if path.is_dir() else [path]
    return {each.relative_to(path).as_posix(): file_digest(each, "md5") for each in files}


def _folder_md5(files: dict[str, str]) -> str:
    """Return DVC's hash of a folder: that of the JSON list of its files and their hashes."""
    listed = [{"md5": files[name], "relpath": name} for name in sorted(files)]
    text = json.dumps(listed, sort_keys=True).encode()
    return f"{hashlib.md5(text, usedforsecurity=False).hexdigest()}.dir"


def _recorded_files(root: Path, md5: str) -> dict[str, str] | None:
    """Return what a folder held when it was recorded; None where the cache does not know."""
    listing = root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    if not md5.endswith(".dir") or not listing.is_file():
        return None
    return {each["relpath"]: each["md5"] for each in json.loads(listing.read_bytes())}


def _as_list(value: Any) -> list[float] | None:
    return None if value is None else np.asarray(value).tolist()


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
                    yield from _partner_differences(root, row, partner, run, prepared)


def _partner_differences(
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
