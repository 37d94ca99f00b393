"""The plan: studies expanded to one row a stage, the table that `dvc.yaml` loops over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BeforeValidator

from pipeline.config.dataset import dataset_files, read_dataset
from pipeline.config.method import CalibratorConfig, LossConfig, NetworkConfig, Recipe
from pipeline.config.reading import Strict, check_config, read_config, read_yaml
from pipeline.config.study import SAME_CLASSES, Experiment, Partner, PartnerKind, Study
from pipeline.errors import InputError, located

HEADER = "# Written by `python -m pipeline plan STUDY...` from configs/studies; do not edit.\n"
PARTNER_SLOTS = "abcdef"
"""DVC cannot loop over the dependencies of a stage, so dvc.yaml names so many one by one."""


def _split_words(value: Any) -> Any:
    """Return the words of a text: lists are written so, since each of DVC's values is a line."""
    return value.split() if isinstance(value, str) else value


Words = Annotated[list[str], BeforeValidator(_split_words)]
Integers = Annotated[list[int], BeforeValidator(_split_words)]
Numbers = Annotated[list[float], BeforeValidator(_split_words)]


class DatasetRow(Strict):
    """A data set to acquire and prepare, once for all studies.

    `base` is the data set whose config it says its differences to; itself where there is none.
    `made_from` and `labelled_by` are what it depends on besides its config: a hospital's folder and
    table, or another prepared set; where checksums in the config say all, the config again.
    """

    dataset: str
    base: str
    made_from: str
    labelled_by: str


class RunRow(Strict):
    """One experiment and loss: what all its seeds share, and the seeds."""

    study: str
    experiment: str
    dataset: str
    network: str
    recipe: str
    loss: str
    seeds: Integers


class ShiftRow(Strict):
    """The partners of one experiment: predicted by all of its runs.

    `trained_on` is the experiment's data set. `data` are the partners' prepared folders by slot, of
    which the last partner fills those that are left.
    """

    study: str
    experiment: str
    trained_on: str
    partners: dict[str, PartnerKind]
    data: dict[str, str]
    losses: Words
    seeds: Integers


class ExperimentRow(Strict):
    """One experiment: trained by one stage, calibrated and evaluated by another.

    `partners` are data sets and their kinds. `shifted` is where their predictions are, and what
    evaluation depends on; without partners its logits, on which it depends anyway. `prevalence` and
    `costs` may be absent: not every experiment states them.
    """

    study: str
    experiment: str
    dataset: str
    network: str
    recipe: str
    losses: Words
    seeds: Integers
    calibrators: Words
    baseline: str
    headline_loss: str
    headline_calibrator: str
    risk_targets: Numbers
    headline_target: float
    delta: float
    partners: dict[str, PartnerKind]
    shifted: str
    prevalence: dict[str, float] = {}
    costs: dict[str, dict[str, float]] = {}

    def runs(self) -> Iterator[RunRow]:
        """Yield the experiment's runs, one a loss."""
        shared = {name: getattr(self, name) for name in RunRow.model_fields if name != "loss"}
        for loss in self.losses:
            yield RunRow(loss=loss, **shared)


class StudyRow(Strict):
    """One study: one page."""

    study: str
    title: str
    experiments: Words


class Plan(Strict):
    """What `dvc repro` makes; each table's keys name the stages."""

    datasets: dict[str, DatasetRow]
    experiments: dict[str, ExperimentRow]
    shifts: dict[str, ShiftRow]
    studies: dict[str, StudyRow]

    @property
    def num_stages(self) -> int:
        """How many stages DVC has with this plan: its own cost grows with their number.

        One a data set, one to train and one to evaluate an experiment, one for its partners, a
        study's report, and the front page.
        """
        num_experiments = 2 * len(self.experiments) + len(self.shifts)
        return len(self.datasets) + num_experiments + len(self.studies) + 1

    @property
    def num_seeds(self) -> int:
        """How many seeds its experiments train, or find trained."""
        return sum(len(row.losses) * len(row.seeds) for row in self.experiments.values())


def expand_plan(names: Iterable[str], configs: Path) -> Plan:
    """Return the plan of some studies, with every file that it names read and checked.

    Raises
    ------
    InputError
        If a study, data set, network, recipe, loss or calibrator it names has no valid file, a
        partner should have an experiment's classes and has others, or shares or costs are stated of
        a class that its data set has not.
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
    return Plan(datasets=datasets, experiments=experiments, shifts=shifts, studies=rows)


def read_study(name: str, configs: Path) -> Study:
    """Return a study of the folder `studies`; raise `InputError` if it has no valid file."""
    return read_config(configs / "studies" / f"{name}.yaml", Study)


def _dataset_rows(name: str, configs: Path) -> dict[str, DatasetRow]:
    """Return the row of a data set, after that of the prepared set it derives from, if any."""
    arguments = read_dataset(configs, name).arguments
    rows: dict[str, DatasetRow] = {}
    made_from = arguments.get("prepared") or arguments.get("folder")
    if source := arguments.get("prepared"):
        rows |= _dataset_rows(Path(source).name, configs)
    made_from = made_from or f"configs/datasets/{name}.yaml"
    labels = arguments.get("labels", {})
    labelled_by = labels.get("table", made_from) if isinstance(labels, dict) else made_from
    base = dataset_files(configs, name)[-1].stem
    rows[name] = DatasetRow(dataset=name, base=base, made_from=made_from, labelled_by=labelled_by)
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


def read_plan(path: Path) -> Plan:
    """Return the plan in a file; raise `InputError` naming the file and key that is wrong."""
    if not path.is_file():
        message = f"{path}: no plan yet: run `python -m pipeline plan STUDY...`"
        raise InputError(message)
    return check_config(read_yaml(path), Plan, place=path)


def write_plan(plan: Plan, path: Path) -> None:
    """Write the plan as YAML, a row a line, in the studies' order."""
    lines = [HEADER]
    for name, table in plan.model_dump().items():
        lines.append(f"{name}:\n" if table else f"{name}: {{}}\n")
        lines += [_row_line(key, row) for key, row in table.items()]
    path.write_text("".join(lines), encoding="utf-8")


def _row_line(key: str, row: dict[str, Any]) -> str:
    words = {name: _joined(value) for name, value in row.items()}
    text = yaml.safe_dump({key: words}, default_flow_style=True, sort_keys=False, width=10**6)
    return f"  {text.strip()[1:-1]}\n"


def _joined(value: Any) -> Any:
    return " ".join(str(each) for each in value) if isinstance(value, list) else value


Row = TypeVar("Row", bound=Strict)


def require_row(table: dict[str, Row], key: str) -> Row:
    """Return a plan's row; raise `InputError` naming the keys there are where it has none."""
    if key not in table:
        known = ", ".join(table) or "none"
        message = f"configs/plan.yaml: no row '{key}'; it has: {known}"
        raise InputError(message)
    return table[key]
