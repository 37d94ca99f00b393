"""The plan: studies expanded to one row a stage, the table that `dvc.yaml` loops over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import BeforeValidator, model_validator

from pipeline.config.names import Key, Name
from pipeline.config.reading import Strict, check_config, read_yaml
from pipeline.config.study import PartnerKind
from pipeline.errors import InputError

MAX_BYTES = 16_000_000
"""What a plan may hold: about 20,000 experiments."""

HEADER = "# Written by `python -m pipeline plan STUDY...` from configs/studies; do not edit.\n"
PARTNER_SLOTS = "abcdef"
"""DVC cannot loop over the dependencies of a stage, so dvc.yaml names so many one by one."""


def _split_words(value: Any) -> Any:
    """Return the words of a text: lists are written so, since each of DVC's values is a line."""
    return value.split() if isinstance(value, str) else value


Names = Annotated[list[Name], BeforeValidator(_split_words)]
Keys = Annotated[list[Key], BeforeValidator(_split_words)]
Integers = Annotated[list[int], BeforeValidator(_split_words)]
Numbers = Annotated[list[float], BeforeValidator(_split_words)]


class DatasetRow(Strict):
    """A data set to acquire and prepare, once for all studies.

    `base` is the data set whose config it says its differences to; itself where there is none.
    `made_from` and `labelled_by` are what it depends on besides its config: what is watched of a
    hospital's folder and its table, or another prepared set; where checksums in the config say all,
    the config again.
    """

    dataset: Name
    base: Name
    made_from: str
    labelled_by: str


class WatchedRow(Strict):
    """A data set that lies in a folder of its own, which is looked at every time."""

    dataset: Name


class RunRow(Strict):
    """One experiment and loss: what all its seeds share, and the seeds."""

    study: Key
    experiment: Key
    dataset: Name
    network: Name
    recipe: Name
    loss: Name
    seeds: Integers


class ShiftRow(Strict):
    """The partners of one experiment: predicted by all of its runs.

    `trained_on` is the experiment's data set. `data` are the partners' prepared folders by slot, of
    which the last partner fills those that are left.
    """

    study: Key
    experiment: Key
    trained_on: Name
    partners: dict[Name, PartnerKind]
    data: dict[str, str]
    losses: Names
    seeds: Integers


class ExperimentRow(Strict):
    """One experiment: trained by one stage, calibrated and evaluated by another.

    `partners` are data sets and their kinds. `shifted` is where their predictions are, and what
    evaluation depends on; without partners its logits, on which it depends anyway. `prevalence` and
    `costs` may be absent: not every experiment states them.
    """

    study: Key
    experiment: Key
    dataset: Name
    network: Name
    recipe: Name
    losses: Names
    seeds: Integers
    calibrators: Names
    baseline: Name
    headline_loss: Name
    headline_calibrator: Name
    risk_targets: Numbers
    headline_target: float
    delta: float
    partners: dict[Name, PartnerKind]
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

    study: Key
    title: str
    experiments: Keys


class Plan(Strict):
    """What `dvc repro` makes; each table's keys name the stages."""

    datasets: dict[str, DatasetRow]
    watched: dict[str, WatchedRow] = {}
    experiments: dict[str, ExperimentRow]
    shifts: dict[str, ShiftRow]
    studies: dict[str, StudyRow]

    @model_validator(mode="after")
    def _rows_are_called_by_what_they_hold(self) -> Self:
        """Hold every key to names that were checked: keys become commands."""
        keys = {
            "datasets": [row.dataset for row in self.datasets.values()],
            "watched": [row.dataset for row in self.watched.values()],
            "experiments": [f"{r.study}-{r.experiment}" for r in self.experiments.values()],
            "shifts": [f"{r.study}-{r.experiment}" for r in self.shifts.values()],
            "studies": [row.study for row in self.studies.values()],
        }
        for table, expected in keys.items():
            for key, name in zip(getattr(self, table), expected, strict=True):
                if key != name:
                    message = f"'{table}' calls the row of {name} {key!r:.80}"
                    raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _studies_have_their_experiments(self) -> Self:
        """Hold studies to the rows of experiments; without any, the plan is one of pages alone."""
        for study, row in self.studies.items():
            for name in row.experiments:
                if self.experiments and f"{study}-{name}" not in self.experiments:
                    message = f"study {study} names the experiment {name}, which has no row"
                    raise ValueError(message)
        return self

    @property
    def num_stages(self) -> int:
        """How many stages DVC has with this plan: its own cost grows with their number.

        One a data set, and one more to watch its own folder if it has one, one to train and one to
        evaluate an experiment, one for its partners, a study's report, and the front page.
        """
        num_experiments = 2 * len(self.experiments) + len(self.shifts)
        num_datasets = len(self.datasets) + len(self.watched)
        return num_datasets + num_experiments + len(self.studies) + 1

    @property
    def num_seeds(self) -> int:
        """How many seeds its experiments train, or find trained."""
        return sum(len(row.losses) * len(row.seeds) for row in self.experiments.values())


def read_plan(path: Path) -> Plan:
    """Return the plan in a file; raise `InputError` naming the file and key that is wrong."""
    if not path.is_file():
        message = f"{path}: no plan yet: run `python -m pipeline plan STUDY...`"
        raise InputError(message)
    return check_config(read_yaml(path, max_bytes=MAX_BYTES), Plan, place=path)


def write_plan(plan: Plan, path: Path) -> None:
    """Write the plan as YAML, a row a line, in the studies' order."""
    lines = [HEADER]
    for name, table in plan.model_dump().items():
        lines.append(f"{name}:\n" if table else f"{name}: {{}}\n")
        lines += [_row_line(key, row) for key, row in table.items()]
    path.write_text("".join(lines), encoding="utf-8")


def _row_line(key: str, row: dict[str, Any]) -> str:
    words = {name: _joined(value) for name, value in row.items()}
    text = yaml.dump(
        {key: words}, Dumper=_Dumper, default_flow_style=True, sort_keys=False, width=10**6
    )
    return f"  {text.strip()[1:-1]}\n"


def _joined(value: Any) -> Any:
    return " ".join(str(each) for each in value) if isinstance(value, list) else value


class _Dumper(yaml.SafeDumper):
    """Quotes also what is a text to PyYAML and a number to DVC, which reads YAML 1.2."""


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"\d+(\.\d*)?[eE][+-]?\d+$|0o[0-7]+$"), list("0123456789")
)


Row = TypeVar("Row", bound=Strict)


def require_row(table: dict[str, Row], key: str) -> Row:
    """Return a plan's row; raise `InputError` naming the keys there are where it has none."""
    if key not in table:
        known = ", ".join(table) or "none"
        message = f"configs/plan.yaml: no row '{key}'; it has: {known}"
        raise InputError(message)
    return table[key]
