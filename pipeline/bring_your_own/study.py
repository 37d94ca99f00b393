"""A study of one model whose logits somebody brought: the same tables, without training."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.artifacts import Predictions
from pipeline.bring_your_own.cases import Given, take
from pipeline.bring_your_own.notes import notes, unchecked
from pipeline.calibrators import Calibrator, fit_calibrator
from pipeline.config.names import MAX_LENGTH
from pipeline.config.plan import ExperimentRow
from pipeline.config.study import Study
from pipeline.errors import InputError, located
from pipeline.evaluation import Applied, Run, evaluated_by
from pipeline.hashes import file_digest
from pipeline.provenance import array_sha256, fingerprint
from pipeline.tables.parts.scores import NOT_RECORDED

LOSS = "model"
"""What stands in the place of the training loss, which nobody told: pages say "model with ats"."""

SEED = 0
"""Of the halving of the calibration cases; it also stands for the one run."""

SITE = "site"
"""A group column of this name is told on the data card."""


@dataclass(frozen=True)
class Shown:
    """What is asked of the report."""

    title: str
    """Of the page and the data."""
    critical: tuple[str, ...]
    """Classes that must not be missed."""
    target: float
    """Share of the answers that may be wrong, in (0, 1)."""
    calibrators: tuple[str, ...]
    """Kinds to be fitted; the last is the headline."""
    prevalence: dict[str, float] = field(default_factory=dict)
    """Shares of the classes where the model is to be used; empty if not stated."""
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    """By true class and class answered, what an error costs where that is not 1."""
    classes: tuple[str, ...] = ()
    """Those that have a column; empty for all whose column begins as a class's does."""


def split_halves(predictions: Predictions) -> tuple[Predictions, Predictions]:
    """Return the cases of a random half of the patients, and those of the other half.

    Drawn from the sorted names of the patients with the seed `SEED`: equal patients, equal halves,
    in whatever order the cases stand.
    """
    patients = np.unique(predictions.patients.astype(str))
    shuffled = np.random.default_rng(SEED).permutation(patients)
    first = np.isin(predictions.patients.astype(str), shuffled[: len(patients) // 2])
    if first.all() or not first.any():
        message = f"at least two patients expected, got {len(patients)}"
        raise InputError(message)
    return take(predictions, first), take(predictions, ~first)


def given_run(
    tested: Given, calibration: Predictions | None, threshold: Predictions | None, shown: Shown
) -> Run:
    """Return the run of the given cases: calibrators fitted on one half, thresholds on the other.

    Without calibration cases, the identity alone and no threshold.
    """
    kinds = shown.calibrators if calibration is not None else ("identity",)
    fitted: dict[str, Calibrator] = {}
    for kind in kinds:
        # The identity is fitted to nothing, whatever it is given.
        cases = tested.predictions if calibration is None else calibration
        with located(f"calibrator {kind}"):
            fitted[kind] = fit_calibrator(kind, cases.logits, cases.labels)

    def applied(predictions: Predictions) -> Applied:
        return Applied(predictions, {name: fit(predictions.logits) for name, fit in fitted.items()})

    return Run(
        loss=LOSS,
        seed=SEED,
        test=applied(tested.predictions),
        threshold=None if threshold is None else applied(threshold),
        calibrators=fitted,
    )


def given_row(name: str, run: Run, shown: Shown) -> ExperimentRow:
    """Return the plan's row that such a study would have."""
    fields = Study.model_fields
    targets = sorted({*fields["risk_targets"].default, shown.target})
    # A plan's names become commands, and are checked for it: this row is of no plan.
    return ExperimentRow.model_construct(
        study=name,
        experiment=name,
        dataset=name,
        network=NOT_RECORDED,
        recipe=NOT_RECORDED,
        losses=[LOSS],
        seeds=[SEED],
        calibrators=list(run.calibrators),
        baseline=LOSS,
        headline_loss=LOSS,
        headline_calibrator=list(run.calibrators)[-1],
        risk_targets=targets,
        headline_target=shown.target,
        delta=fields["delta"].default,
        partners={},
        shifted="",
        prevalence=shown.prevalence,
        costs=shown.costs,
    )


def given_card(
    name: str, given: Sequence[Given], splits: dict[str, Predictions], shown: Shown
) -> dict[str, Any]:
    """Return the card of the data, as far as the files tell."""
    files = [{"name": each.path.name, "sha256": file_digest(each.path)} for each in given]
    return data_card(
        name, given[0].classes, splits, shown, files, notes=notes(given), unchecked=unchecked(given)
    )


def data_card(
    name: str,
    classes: Sequence[str],
    splits: dict[str, Predictions],
    shown: Shown,
    files: Sequence[Mapping[str, str]],
    *,
    notes: Sequence[str],
    unchecked: Sequence[str],
) -> dict[str, Any]:
    """Return the card of cases of which nothing else is recorded.

    Parameters
    ----------
    name : str
    classes : sequence of str
    splits : dict of str to Predictions
        "test", and others by what they served for.
    shown : Shown
        Title and critical classes.
    files : sequence of dict
        ``name`` and ``sha256`` of each file that the cases come from.
    notes, unchecked : sequence of str
        What pages say of the cases, and what of the guarantee's conditions nobody could check.

    Raises
    ------
    InputError
        If a critical class is none of the classes.
    """
    if unknown := sorted(set(shown.critical) - set(classes)):
        message = f"critical classes must be among {', '.join(classes)}, got {', '.join(unknown)}"
        raise InputError(message)
    return {
        "name": name,
        "title": shown.title,
        "classes": list(classes),
        "critical_classes": list(shown.critical),
        "image_size": [NOT_RECORDED],
        "channels": NOT_RECORDED,
        "licence": NOT_RECORDED,
        "citation": "Predictions brought by the user",
        "counts": {
            split: dict(zip(classes, _counts(each, len(classes)), strict=True))
            for split, each in splits.items()
        },
        "patients": {split: len(np.unique(each.patients)) for split, each in splits.items()},
        "class_patients": {
            split: dict(zip(classes, _patients(each, len(classes)), strict=True))
            for split, each in splits.items()
        },
        "reuse": {},
        "long_tail": None,
        "files": [dict(each) for each in files],
        "fingerprint": fingerprint([each["sha256"] for each in files]),
        "show_images": False,
        "simulated": False,
        "notes": list(notes),
        "unchecked": list(unchecked),
    } | _sites(splits["test"])


def given_provenance(card: dict[str, Any], splits: dict[str, Predictions]) -> dict[str, Any]:
    """Return where the numbers come from: the files' hashes; training is not recorded."""
    hashes = {split: array_sha256(each.logits) for split, each in splits.items()}
    run = {
        "loss": LOSS,
        "seed": SEED,
        "revision": NOT_RECORDED,
        "dirty": False,
        "data_fingerprint": card["fingerprint"],
        "config_hash": NOT_RECORDED,
        "logits_sha256": fingerprint(hashes),
        "versions": {},
        "device": NOT_RECORDED,
        "wall_seconds": 0.0,
    }
    return {"runs": [run], "evaluated_by": evaluated_by()}


def no_history() -> pd.DataFrame:
    """Return the history of a training that nobody told of: no epoch."""
    return pd.DataFrame({"loss": [LOSS], "seed": [SEED], "epoch": [None]})


def study_name(path: Path) -> str:
    """Return a file's name as the name of a study and its folders: letters have no accents.

    >>> study_name(Path("Übersicht (2).csv"))
    'Ubersicht-2'
    """
    letters = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", letters).strip("-_")[:MAX_LENGTH] or "given"


def _counts(predictions: Predictions, num_classes: int) -> list[int]:
    return np.bincount(predictions.labels, minlength=num_classes).tolist()


def _patients(predictions: Predictions, num_classes: int) -> list[int]:
    """Return how many patients have a case of each class."""
    return [
        len(np.unique(predictions.patients[predictions.labels == label]))
        for label in range(num_classes)
    ]


def _sites(predictions: Predictions) -> dict[str, dict[str, int]]:
    """Return the cases of each site, if a column says which each is of."""
    groups = predictions.groups
    column = next((name for name in groups.columns if str(name).casefold() == SITE), None)
    if column is None:
        return {}
    counts = groups[column].value_counts().sort_index()
    return {"sites": {str(site): int(number) for site, number in counts.items()}}
