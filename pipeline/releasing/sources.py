"""What a study's finished stages left of the model that is to be released."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file
from scipy.special import log_softmax, logsumexp

from pipeline.artifacts import (
    WEIGHTS,
    Predictions,
    Prepared,
    read_json,
    read_predictions,
    read_prepared,
    require_intact,
)
from pipeline.calibrators import Calibrator, fit_calibrator, from_json
from pipeline.config import CalibratorConfig, read_config, read_plan
from pipeline.config.plan import ExperimentRow, require_row
from pipeline.errors import InputError, located
from pipeline.shapes import Logits
from pipeline.tables.parts.run import Applied, Run
from pipeline.training import Classifier, restore_classifier

SPLITS = ("calibration", "threshold", "test")


@dataclass(frozen=True)
class Choice:
    """Which of an experiment's models: one seed, or several that are averaged."""

    loss: str
    seeds: list[int]
    calibrator: str
    target: float


@dataclass(frozen=True)
class Wanted:
    """What was asked for; what is left open is that of the model on the report's first screen."""

    loss: str | None = None
    seeds: Sequence[int] = ()
    calibrator: str | None = None
    target: float | None = None

    def choice(self, row: ExperimentRow) -> Choice:
        """Return the model of an experiment; `InputError` for what it has not."""
        chosen = Choice(
            loss=self.loss or row.headline_loss,
            seeds=list(self.seeds) or row.seeds[:1],
            calibrator=self.calibrator or row.headline_calibrator,
            target=row.headline_target if self.target is None else self.target,
        )
        _require_known("loss", [chosen.loss], row.losses)
        _require_known("seed", chosen.seeds, row.seeds)
        _require_known("calibrator", [chosen.calibrator], row.calibrators)
        _require_known("target", [chosen.target], row.risk_targets)
        if len(set(chosen.seeds)) < len(chosen.seeds):
            message = f"each seed once expected, got {', '.join(map(str, chosen.seeds))}"
            raise InputError(message)
        return chosen


def _require_known(what: str, asked: Sequence[object], known: Sequence[object]) -> None:
    for each in asked:
        if each not in known:
            message = f"{what} must be one of {', '.join(map(str, known))}, got {each}"
            raise InputError(message)


def read_seeds(one: int | None, several: Sequence[str]) -> list[int]:
    """Return the seeds that the command line names; none for the experiment's first.

    >>> read_seeds(3, ()), read_seeds(None, ("0", "1")), read_seeds(None, ())
    ([3], [0, 1], [])
    """
    if one is not None and several:
        message = "either --seed or --seeds expected, got both"
        raise InputError(message)
    if not all(word.isdecimal() for word in several):
        message = f"--seeds: whole numbers expected, such as 0,1,2, got {','.join(several)}"
        raise InputError(message)
    return [int(word) for word in several] if one is None else [one]


@dataclass(frozen=True)
class Source:
    """A trained model with its calibrator, its held-out predictions and the study's data.

    Attributes
    ----------
    row : ExperimentRow
        Of the plan.
    choice : Choice
    records : list of dict
        Each member's `run.json`.
    predictions : dict of str to Predictions
        By split: of a single member its logits, of several the logarithm of their mean
        probabilities. A split without cases is absent.
    calibrator : Calibrator
        Of a single member the one that calibrate stored; of several one that was fitted to their
        mean on the calibration split.
    prepared : Prepared
        Images, cases and card.
    """

    root: Path
    row: ExperimentRow
    choice: Choice
    records: list[dict[str, Any]]
    predictions: dict[str, Predictions]
    calibrator: Calibrator
    prepared: Prepared

    @property
    def folders(self) -> list[Path]:
        """Where each member's weights and record are."""
        return _folders(self.root / "data/logits", self.row, self.choice)

    @property
    def scores(self) -> Path:
        """Where the experiment's published numbers are."""
        return self.root / "data/scores" / self.row.study / self.row.experiment

    @property
    def is_ensemble(self) -> bool:
        """Whether several members are averaged."""
        return len(self.records) > 1

    def members(self) -> list[Classifier]:
        """Return the trained networks, on the CPU."""
        return [
            restore_classifier(record, load_file(folder / WEIGHTS))
            for record, folder in zip(self.records, self.folders, strict=True)
        ]

    def applied(self, split: str) -> Applied:
        """Return a split's cases with their calibrated log-probabilities."""
        each = self.predictions[split]
        return Applied(each, {self.choice.calibrator: self.calibrator(each.logits)})

    def run(self) -> Run:
        """Return the model as tables see one, with its calibrator alone."""
        return Run(
            loss=self.choice.loss,
            seed=self.choice.seeds[0],
            test=self.applied("test"),
            threshold=self.applied("threshold") if "threshold" in self.predictions else None,
            calibrators={self.choice.calibrator: self.calibrator},
        )


def read_source(root: Path, study: str, experiment: str, wanted: Wanted) -> Source:
    """Return the model chosen of an experiment that was trained, calibrated and evaluated.

    Raises
    ------
    InputError
        If the plan has no such experiment, the experiment no such model, or a file is absent or
        has changed since it was written.
    """
    key = f"{study}-{experiment}"
    row = require_row(read_plan(root / "configs/plan.yaml").experiments, key)
    choice = wanted.choice(row)
    parts = Path(row.study, row.experiment)
    require_intact(root / "data/logits" / parts, stage=f"train@{key}")
    for kind in ("probabilities", "scores"):
        require_intact(root / "data" / kind / parts, stage=f"evaluate@{key}")
    folders = _folders(root / "data/logits", row, choice)
    prepared = read_prepared(root / "data/prepared" / row.dataset)
    records = [_record(folder, prepared) for folder in folders]
    predictions = {
        split: _mean([read_predictions(folder / f"{split}.parquet") for folder in folders])
        for split in SPLITS
        if (folders[0] / f"{split}.parquet").is_file()
    }
    return Source(
        root=root,
        row=row,
        choice=choice,
        records=records,
        predictions=predictions,
        calibrator=_calibrator(root, row, choice, predictions["calibration"]),
        prepared=prepared,
    )


def mean_of_members(logits: Sequence[Logits]) -> Logits:
    """Return the logarithm of members' mean probabilities, (n, classes), in float64.

    >>> mean_of_members([np.log([[0.5, 0.5]]), np.log([[0.9, 0.1]])]).round(6) == np.log(
    ...     [[0.7, 0.3]]
    ... ).round(6)
    array([[ True,  True]])
    """
    log_probabilities = [log_softmax(each.astype(np.float64), axis=1) for each in logits]
    return logsumexp(log_probabilities, axis=0) - np.log(len(logits))


def _mean(members: list[Predictions]) -> Predictions:
    first = members[0]
    if len(members) == 1:
        return first
    for other in members[1:]:
        if not np.array_equal(first.cases, other.cases):
            message = "members that predicted the same cases expected, got others"
            raise InputError(message)
    return replace(first, logits=mean_of_members([each.logits for each in members]))


def _calibrator(
    root: Path, row: ExperimentRow, choice: Choice, calibration: Predictions
) -> Calibrator:
    name = choice.calibrator
    if len(choice.seeds) == 1:
        folder = _folders(root / "data/probabilities", row, choice)[0]
        return from_json(read_json(folder / "calibrators.json")[name])
    config = read_config(root / f"configs/calibrators/{name}.yaml", CalibratorConfig)
    with located(f"configs/calibrators/{name}.yaml on the mean of {len(choice.seeds)} members"):
        return fit_calibrator(
            config.kind, calibration.logits, calibration.labels, **config.arguments
        )


def _folders(below: Path, row: ExperimentRow, choice: Choice) -> list[Path]:
    loss = below / row.study / row.experiment / choice.loss
    return [loss / f"seed-{seed}" for seed in choice.seeds]


def _record(folder: Path, prepared: Prepared) -> dict[str, Any]:
    path = folder / "run.json"
    record: dict[str, Any] = read_json(path)
    if record["data_fingerprint"] != prepared.card["fingerprint"]:
        name = prepared.card["name"]
        message = f"{path}: key 'data_fingerprint': that of {name} expected: train it again"
        raise InputError(message)
    return record
