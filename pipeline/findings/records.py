"""Where published scores come from: `provenance.json`, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.artifacts import read_json, write_json
from pipeline.config.method import NetworkConfig, Recipe
from pipeline.config.plan import ExperimentRow
from pipeline.config.reading import Strict, check_config
from pipeline.errors import InputError

NOT_RECORDED = "not recorded"
"""Stands for the processor of runs that were trained before it was written down."""

SHARED = ("revision", "dirty", "device", "processor", "versions")
"""Fields that are written once where they are the same for every run of a study."""


class RunRecord(Strict):
    """What one run was made from: code, configuration, data, machine; and the hash of its logits.

    `dirty` says that code or configs had uncommitted changes. `processor` is what the bits depend
    on beside the rest.
    """

    experiment: str
    loss: str
    seed: int
    config_hash: str
    data_fingerprint: str
    logits_sha256: str
    revision: str
    dirty: bool
    device: str
    processor: dict[str, str | int] | str = NOT_RECORDED
    versions: dict[str, str]


class CodeRecord(Strict):
    """What code computed an experiment's scores."""

    revision: str
    dirty: bool
    versions: dict[str, str]


class DatasetRecord(Strict):
    """What is said of a data set: cases and patients by split, and the prepared data's hash."""

    title: str
    cases: dict[str, int]
    patients: dict[str, int]
    fingerprint: str


class PartnerRun(Strict):
    """The hash of what one run said of a partner."""

    loss: str
    seed: int
    logits_sha256: str


class PartnerRecord(Strict):
    """Which prepared data a partner's predictions were made from, and their hashes."""

    data_fingerprint: str
    runs: list[PartnerRun]


class DataSettings(Strict):
    """The size of a data set as a design may vary it."""

    num_classes: int
    train_cases_a_class: float


class Settings(Strict):
    """What an experiment of a designed study was set to: what its names stood for."""

    network: NetworkConfig
    recipe: Recipe
    data: DataSettings


class ExperimentRecord(Strict):
    """One experiment as it was planned, its data set, and the code that evaluated it.

    `settings` are kept of studies that are designed experiments.
    """

    row: ExperimentRow
    epochs: int
    dataset: DatasetRecord
    evaluated_by: CodeRecord
    partners: dict[str, PartnerRecord] = {}
    settings: Settings | None = None


class Provenance(Strict):
    """Where a study's published scores come from; experiments in the plan's order."""

    study: str
    title: str
    experiments: list[ExperimentRecord]
    runs: list[RunRecord]


def run_record(experiment: str, run: Mapping[str, Any], *, place: Path) -> RunRecord:
    """Return what is kept of a run in an experiment's `provenance.json` of data/scores."""
    known = {key: value for key, value in run.items() if key in RunRecord.model_fields}
    return check_config({"experiment": experiment} | known, RunRecord, place=place)


def write_provenance(provenance: Provenance, path: Path) -> None:
    """Write provenance as JSON; what all runs share stands under `every_run`."""
    content = provenance.model_dump()
    for experiment in content["experiments"]:
        if experiment["settings"] is None:
            del experiment["settings"]
    shared = _shared(content["runs"])
    content["every_run"] = shared
    content["runs"] = [
        {key: value for key, value in run.items() if key not in shared} for run in content["runs"]
    ]
    write_json(content, path)


def read_provenance(path: Path) -> Provenance:
    """Return what `write_provenance` wrote; `InputError` names the file and the key at fault."""
    try:
        content = read_json(path)
    except ValueError as error:
        message = f"{path}: no JSON any more: {error}"
        raise InputError(message) from error
    shared = content.pop("every_run", {})
    content["runs"] = [shared | run for run in content.get("runs", [])]
    return check_config(content, Provenance, place=path)


def _shared(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        key: runs[0][key] for key in SHARED if all(run[key] == runs[0][key] for run in runs)
    }  # fmt: skip
