"""From studies to the plan: every file that they name read and checked, a row a stage made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.config.dataset import dataset_files, read_dataset
from pipeline.config.method import CalibratorConfig, LossConfig, NetworkConfig, Recipe
from pipeline.config.names import require_key
from pipeline.config.plan import (
    PARTNER_SLOTS,
    DatasetRow,
    ExperimentRow,
    Plan,
    ShiftRow,
    StudyRow,
    WatchedRow,
)
from pipeline.config.reading import read_config
from pipeline.config.study import SAME_CLASSES, Experiment, Partner, Study
from pipeline.errors import InputError, located


def expand_plan(names: Iterable[str], configs: Path) -> Plan:
    """Return the plan of some studies, with every file that it names read and checked.

    Raises `InputError` if a study, data set, network, recipe, loss or calibrator it names has no
    valid file, a partner should have an experiment's classes and has others, or shares or costs are
    stated of a class that its data set has not.
    """
    studies = {name: read_study(name, configs) for name in names}
    datasets: dict[str, DatasetRow] = {}
    shifts: dict[str, ShiftRow] = {}
    experiments: dict[str, ExperimentRow] = {}
    for name, study in studies.items():
        for experiment in study.experiments:
            with located(configs / "studies" / f"{name}.yaml"):
                _require_fit(study, experiment, configs)
            for dataset in (experiment.dataset, *(each.dataset for each in experiment.partners)):
                datasets |= _dataset_rows(dataset, configs)
            key = f"{name}-{experiment.key}"
            experiments[key] = _experiment_row(name, study, experiment)
            if experiment.partners:
                shifts[key] = _shift_row(experiments[key])
    rows = {
        name: StudyRow(
            study=name,
            title=study.title,
            experiments=[experiment.key for experiment in study.experiments],
        )
        for name, study in studies.items()
    }
    watched = {
        name: WatchedRow(dataset=name)
        for name, row in datasets.items()
        if row.made_from == _watched(name)
    }
    return Plan(
        datasets=datasets, watched=watched, experiments=experiments, shifts=shifts, studies=rows
    )


def read_study(name: str, configs: Path) -> Study:
    """Return a study of the folder `studies`; raise `InputError` if it has no valid file."""
    return read_config(configs / "studies" / f"{require_key(name, of='a study')}.yaml", Study)


def _dataset_rows(
    name: str, configs: Path, *, derived: tuple[str, ...] = ()
) -> dict[str, DatasetRow]:
    """Return the row of a data set, after that of the prepared set it derives from, if any.

    `derived` are the sets that derive from it, of which it must be none.
    """
    own = configs / "datasets" / f"{name}.yaml"
    arguments = read_dataset(configs, name).arguments
    rows: dict[str, DatasetRow] = {}
    with located(own):
        source, folder = (_stated_path(arguments, key) for key in ("prepared", "folder"))
        if source:
            origin = Path(source).name
            if origin in (name, *derived):
                message = f"key 'arguments.prepared': {origin} derives from itself"
                raise InputError(message)
            rows |= _dataset_rows(origin, configs, derived=(*derived, name))
        watched = _watched(name) if folder else None
        made_from = source or watched or f"configs/datasets/{name}.yaml"
        labels = arguments.get("labels")
        table = _stated_path(labels, "table", "labels.") if isinstance(labels, dict) else None
    base = dataset_files(configs, name)[-1].stem
    rows[name] = DatasetRow(
        dataset=name, base=base, made_from=made_from, labelled_by=table or made_from
    )
    return rows


def _watched(name: str) -> str:
    """Return what changes with a data set's own folder: see `pipeline.stages.watch`."""
    return f"data/watched/{name}.json"


def _stated_path(arguments: dict[str, Any], key: str, within: str = "") -> str | None:
    path = arguments.get(key)
    if path is not None and not isinstance(path, str):
        message = f"key 'arguments.{within}{key}': a path expected, got {type(path).__name__}"
        raise InputError(message)
    return path


def _experiment_row(name: str, study: Study, experiment: Experiment) -> ExperimentRow:
    return ExperimentRow(
        study=name,
        experiment=experiment.key,
        dataset=experiment.dataset,
        network=experiment.network,
        recipe=experiment.recipe,
        losses=experiment.losses or study.losses,
        seeds=experiment.seeds or study.seeds,
        calibrators=study.calibrators,
        baseline=study.baseline,
        headline_loss=study.headline_loss,
        headline_calibrator=study.headline_calibrator,
        risk_targets=study.risk_targets,
        headline_target=study.target_of(experiment),
        delta=study.delta,
        partners={partner.dataset: partner.kind for partner in experiment.partners},
        prevalence=experiment.prevalence,
        costs=experiment.costs,
        shifted=f"data/{'shifted' if experiment.partners else 'logits'}/{name}/{experiment.key}",
    )


def _shift_row(row: ExperimentRow) -> ShiftRow:
    folders = [f"data/prepared/{name}" for name in row.partners]
    return ShiftRow(
        study=row.study,
        experiment=row.experiment,
        trained_on=row.dataset,
        partners=row.partners,
        data={slot: folders[min(i, len(folders) - 1)] for i, slot in enumerate(PARTNER_SLOTS)},
        losses=row.losses,
        seeds=row.seeds,
    )


def _require_fit(study: Study, experiment: Experiment, configs: Path) -> None:
    """Raise `InputError` where what an experiment names is not there, or does not belong to it."""
    for calibrator in study.calibrators:
        read_config(configs / "calibrators" / f"{calibrator}.yaml", CalibratorConfig)
    read_config(configs / "recipes" / f"{experiment.recipe}.yaml", Recipe)
    read_config(configs / "networks" / f"{experiment.network}.yaml", NetworkConfig)
    for loss in experiment.losses or study.losses:
        read_config(configs / "losses" / f"{loss}.yaml", LossConfig)
    _require_own_classes(experiment, configs)
    if len(experiment.partners) > len(PARTNER_SLOTS):
        message = (
            f"experiment {experiment.key} has {len(experiment.partners)} partners, of which "
            f"dvc.yaml has room for {len(PARTNER_SLOTS)}: divide them between two experiments"
        )
        raise InputError(message)
    for partner in experiment.partners:
        _require_classes(partner, experiment, configs)


def _require_own_classes(experiment: Experiment, configs: Path) -> None:
    """Raise `InputError` where shares or costs are stated of a class that is not there."""
    known = set(read_dataset(configs, experiment.dataset).classes)
    stated = {
        "prevalence": set(experiment.prevalence),
        "costs": set(experiment.costs).union(*experiment.costs.values()),
    }
    for key, names in stated.items():
        if strangers := sorted(names - known):
            message = f"'{key}' names no class of {experiment.dataset}: {strangers}"
            raise InputError(message)


def _require_classes(partner: Partner, experiment: Experiment, configs: Path) -> None:
    """Raise `InputError` where a partner in scope has other classes than were trained on."""
    own, others = (
        read_dataset(configs, name).classes for name in (experiment.dataset, partner.dataset)
    )
    if partner.kind in SAME_CLASSES and own != others:
        message = (
            f"{partner.dataset} is a partner of kind {partner.kind}, so its classes must be those "
            f"of {experiment.dataset}: {own}, got {others}"
        )
        raise InputError(message)
