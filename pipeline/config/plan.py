"""The plan: studies expanded to one row a stage, the table that `dvc.yaml` loops over."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import yaml

from pipeline.config.dataset import Dataset
from pipeline.config.method import CalibratorConfig, LossConfig, NetworkConfig, Recipe
from pipeline.config.reading import Strict, check_config, read_config, read_yaml
from pipeline.config.study import SAME_CLASSES, Experiment, Partner, PartnerKind, Study
from pipeline.errors import InputError, located

DATASETS = "configs/datasets"
HEADER = "# Written by `python -m pipeline plan STUDY...` from configs/studies; do not edit.\n"


class DatasetRow(Strict):
    """A data set to acquire and prepare, once for all studies.

    `made_from` and `labelled_by` are what it depends on besides its config: a hospital's folder and
    table, or another prepared set; where checksums in the config say all, the config again.
    """

    dataset: str
    made_from: str
    labelled_by: str


class RunRow(Strict):
    """One experiment and loss: all its seeds are trained by one stage."""

    study: str
    experiment: str
    dataset: str
    network: str
    network_module: str
    recipe: str
    loss: str
    loss_module: str
    seeds: list[int]


class ShiftRow(Strict):
    """One partner of one experiment: predicted by all runs of it.

    `dataset` is the partner's, `trained_on` the experiment's.
    """

    study: str
    experiment: str
    dataset: str
    kind: PartnerKind
    trained_on: str
    losses: list[str]
    seeds: list[int]


class ExperimentRow(Strict):
    """One experiment: calibrated and evaluated once, over all its runs.

    `partners` are data sets and their kinds. `shifted` is where their predictions are, and what
    evaluation depends on; without partners its logits, on which it depends anyway. `prevalence` and
    `costs` may be absent: not every experiment states them.
    """

    study: str
    experiment: str
    dataset: str
    network: str
    recipe: str
    losses: list[str]
    seeds: list[int]
    calibrators: list[str]
    baseline: str
    headline_loss: str
    headline_calibrator: str
    risk_targets: list[float]
    headline_target: float
    delta: float
    partners: dict[str, PartnerKind]
    shifted: str
    prevalence: dict[str, float] = {}
    costs: dict[str, dict[str, float]] = {}


class StudyRow(Strict):
    """One study: one page."""

    study: str
    title: str
    experiments: list[str]


class Plan(Strict):
    """Everything the repository tracks; each table's keys name the stages."""

    datasets: dict[str, DatasetRow]
    runs: dict[str, RunRow]
    shifts: dict[str, ShiftRow]
    experiments: dict[str, ExperimentRow]
    studies: dict[str, StudyRow]

    @property
    def num_stages(self) -> int:
        """How many stages DVC has with this plan: its own cost grows with their number.

        Data sets are acquired and prepared, and for all studies together there are the findings and
        the front page.
        """
        rows = (self.runs, self.shifts, self.experiments, self.studies)
        return 2 * len(self.datasets) + sum(len(table) for table in rows) + 2


def expand_plan(names: Iterable[str], configs: Path) -> Plan:
    """Return the plan of some studies, with every file that it names read and checked.

    Raises
    ------
    InputError
        If a study, data set, network, recipe, loss or calibrator it names has no valid file, a
        partner should have an experiment's classes and has others, or shares or costs are stated of
        a class that its data set has not.
    """
    studies = {name: read_config(configs / "studies" / f"{name}.yaml", Study) for name in names}
    datasets: dict[str, DatasetRow] = {}
    runs: dict[str, RunRow] = {}
    shifts: dict[str, ShiftRow] = {}
    experiments: dict[str, ExperimentRow] = {}
    for name, study in studies.items():
        for calibrator in study.calibrators:
            read_config(configs / "calibrators" / f"{calibrator}.yaml", CalibratorConfig)
        for experiment in study.experiments:
            datasets |= _dataset_rows(experiment.dataset, configs)
            with located(configs / "studies" / f"{name}.yaml"):
                _require_own_classes(experiment, configs)
            for partner in experiment.partners:
                with located(configs / "studies" / f"{name}.yaml"):
                    _require_classes(partner, experiment, configs)
                datasets |= _dataset_rows(partner.dataset, configs)
                row = _shift_row(name, study, experiment, partner)
                shifts[f"{name}-{experiment.key}-{partner.dataset}"] = row
            experiments[f"{name}-{experiment.key}"] = _experiment_row(name, study, experiment)
            runs |= _run_rows(name, study, experiment, configs)
    rows = {
        name: StudyRow(
            study=name,
            title=study.title,
            experiments=[experiment.key for experiment in study.experiments],
        )
        for name, study in studies.items()
    }
    return Plan(datasets=datasets, runs=runs, shifts=shifts, experiments=experiments, studies=rows)


def _dataset_rows(name: str, configs: Path) -> dict[str, DatasetRow]:
    """Return the row of a data set, after that of the prepared set it derives from, if any."""
    path = configs / "datasets" / f"{name}.yaml"
    arguments = read_config(path, Dataset).arguments
    rows: dict[str, DatasetRow] = {}
    made_from = arguments.get("prepared") or arguments.get("folder") or f"{DATASETS}/{name}.yaml"
    if source := arguments.get("prepared"):
        rows |= _dataset_rows(Path(source).name, configs)
    labels = arguments.get("labels", {})
    labelled_by = labels.get("table", made_from) if isinstance(labels, dict) else made_from
    rows[name] = DatasetRow(dataset=name, made_from=made_from, labelled_by=labelled_by)
    return rows


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
        headline_target=study.headline_target,
        delta=study.delta,
        partners={partner.dataset: partner.kind for partner in experiment.partners},
        prevalence=experiment.prevalence,
        costs=experiment.costs,
        shifted=f"data/{'shifted' if experiment.partners else 'logits'}/{name}/{experiment.key}",
    )


def _shift_row(name: str, study: Study, experiment: Experiment, partner: Partner) -> ShiftRow:
    return ShiftRow(
        study=name,
        experiment=experiment.key,
        dataset=partner.dataset,
        kind=partner.kind,
        trained_on=experiment.dataset,
        losses=experiment.losses or study.losses,
        seeds=experiment.seeds or study.seeds,
    )


def _require_own_classes(experiment: Experiment, configs: Path) -> None:
    """Raise `InputError` where shares or costs are stated of a class that is not there."""
    known = set(read_config(configs / "datasets" / f"{experiment.dataset}.yaml", Dataset).classes)
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
        read_config(configs / "datasets" / f"{name}.yaml", Dataset).classes
        for name in (experiment.dataset, partner.dataset)
    )
    if partner.kind in SAME_CLASSES and own != others:
        message = (
            f"{partner.dataset} is a partner of kind {partner.kind}, so its classes must be those "
            f"of {experiment.dataset}: {own}, got {others}"
        )
        raise InputError(message)


def _run_rows(name: str, study: Study, experiment: Experiment, configs: Path) -> dict[str, RunRow]:
    read_config(configs / "recipes" / f"{experiment.recipe}.yaml", Recipe)
    network = read_config(configs / "networks" / f"{experiment.network}.yaml", NetworkConfig)
    rows = {}
    for loss in experiment.losses or study.losses:
        config = read_config(configs / "losses" / f"{loss}.yaml", LossConfig)
        rows[f"{name}-{experiment.key}-{loss}"] = RunRow(
            study=name,
            experiment=experiment.key,
            dataset=experiment.dataset,
            network=experiment.network,
            network_module=network.kind,
            recipe=experiment.recipe,
            loss=loss,
            loss_module=config.kind,
            seeds=experiment.seeds or study.seeds,
        )
    return rows


def read_plan(path: Path) -> Plan:
    """Return the plan in a file; raise `InputError` naming the file and key that is wrong."""
    if not path.is_file():
        message = f"{path}: no plan yet: run `python -m pipeline plan STUDY...`"
        raise InputError(message)
    return check_config(read_yaml(path), Plan, place=path)


def write_plan(plan: Plan, path: Path) -> None:
    """Write the plan as YAML with its rows in the studies' order."""
    text = yaml.safe_dump(plan.model_dump(), sort_keys=False, default_flow_style=None, width=100)
    path.write_text(HEADER + text, encoding="utf-8")


Row = TypeVar("Row", bound=Strict)


def require_row(table: dict[str, Row], key: str) -> Row:
    """Return a plan's row; raise `InputError` naming the keys there are where it has none."""
    if key not in table:
        known = ", ".join(table) or "none"
        message = f"configs/plan.yaml: no row '{key}'; it has: {known}"
        raise InputError(message)
    return table[key]
