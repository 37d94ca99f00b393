"""What the stored sets hold: simulated patients and what over-confident models say of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from pipeline.artifacts import (
    ForeignPredictions,
    Predictions,
    write_foreign,
    write_predictions,
)
from pipeline.calibrators import fit_calibrator, to_json
from pipeline.config.study import SAME_CLASSES, PartnerKind
from tests.golden.stored import FOLDER

SHARPNESS = {"cross_entropy": 2.0, "gce": 1.3}
"""How many times too far apart a loss's logits lie."""


@dataclass(frozen=True)
class Scenario:
    """One set: its classes with their shares, losses, calibrators, seeds and patients a split."""

    classes: tuple[str, ...]
    shares: tuple[float, ...]
    critical: tuple[str, ...]
    calibrators: tuple[str, ...]
    seeds: tuple[int, ...]
    patients: Mapping[str, int]
    images: int = 2
    signal: float = 4.0
    partners: Mapping[str, PartnerKind] = field(default_factory=dict)
    long_tail: bool = False
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    prevalence: Mapping[str, float] = field(default_factory=dict)
    targets: tuple[float, ...] = (0.05, 0.1, 0.2)


SCENARIOS = {
    # Fewer than ten test patients have the critical class: too few to be shown.
    "screening": Scenario(
        classes=("benign", "malignant"),
        shares=(0.97, 0.03),
        critical=("malignant",),
        calibrators=("identity", "temperature", "ats"),
        seeds=(0, 1),
        patients={"calibration": 250, "threshold": 300, "test": 80},
        signal=1.5,
        costs={"malignant": {"benign": 20.0}},
        prevalence={"benign": 0.9, "malignant": 0.1},
    ),
    "eight_classes": Scenario(
        classes=tuple(f"class {letter}" for letter in "abcdefgh"),
        shares=tuple(float(share) for share in 0.7 ** np.arange(8) / (0.7 ** np.arange(8)).sum()),
        critical=("class c",),
        calibrators=("identity", "temperature", "vector"),
        seeds=(0, 1, 2),
        patients={"calibration": 200, "threshold": 250, "test": 200},
        images=1,
        long_tail=True,
    ),
    "partners": Scenario(
        classes=("none", "mild", "severe"),
        shares=(0.5, 0.3, 0.2),
        critical=("severe",),
        calibrators=("identity", "bcts"),
        seeds=(0, 1),
        patients={"calibration": 150, "threshold": 200, "test": 120},
        partners={
            "elsewhere": "site",
            "noise_1": "corruption",
            "noise_3": "corruption",
            "akin": "near_ood",
            "unlike": "far_ood",
        },
    ),
}


def simulate(name: str) -> None:
    """Write the logits, calibrators and description of one set."""
    scenario, place = SCENARIOS[name], FOLDER / name
    shutil.rmtree(place, ignore_errors=True)
    fair = {split: _split(scenario, split, n) for split, n in scenario.patients.items()}
    for loss, seed, jitter in _runs(scenario):
        said = {split: _said(each, loss, jitter) for split, each in fair.items()}
        calibration = said.pop("calibration")
        for split, predictions in said.items():
            write_predictions(
                predictions, place / "logits" / loss / f"seed-{seed}" / f"{split}.parquet"
            )
        fitted = {
            kind: to_json(fit_calibrator(kind, calibration.logits, calibration.labels))
            for kind in scenario.calibrators
        }
        path = place / "calibrators" / loss / f"seed-{seed}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(fitted, indent=1) + "\n")
        for partner, kind in scenario.partners.items():
            path = place / "shifted" / partner / loss / f"seed-{seed}.parquet"
            met = _said(_partner(scenario, partner), loss, jitter)
            if kind in SAME_CLASSES:
                write_predictions(met, path)
            else:
                write_foreign(ForeignPredictions(met.logits, met.cases, met.patients), path)
    about = {"row": _row(name, scenario), "card": _card(scenario, fair)}
    (place / "experiment.json").write_text(json.dumps(about, indent=1) + "\n")


def _runs(scenario: Scenario) -> Iterator[tuple[str, int, np.random.Generator]]:
    for number, loss in enumerate(SHARPNESS):
        for seed in scenario.seeds:
            yield loss, seed, np.random.default_rng([7, number, seed])


def _split(scenario: Scenario, split: str, patients: int, *, blur: float = 1.0) -> Predictions:
    """Return cases whose labels are drawn from the softmax of their logits."""
    generator = np.random.default_rng([11, *split.encode()])
    sizes = generator.integers(1, scenario.images + 1, size=patients)
    patient = np.repeat(np.arange(patients), sizes)
    classes = len(scenario.classes)
    drawn = generator.choice(classes, p=scenario.shares, size=patients)[patient]
    logits = np.log(scenario.shares) + scenario.signal * blur * np.eye(classes)[drawn]
    logits = logits + generator.normal(scale=1.5, size=logits.shape)
    truth = softmax(logits, axis=1)
    labels = (truth.cumsum(axis=1) < generator.random(len(patient))[:, None]).sum(axis=1)
    site = np.where(patient % 3 == 0, "north", np.where(patient % 3 == 1, "south", "west"))
    # Six patients of the fourth site: a group too small to be shown.
    site[patient < 6] = "remote"
    groups = pd.DataFrame({"site": site, "sex": np.where(patient % 2, "F", "M")})
    return Predictions(
        logits=logits.astype(np.float32),
        labels=np.minimum(labels, classes - 1),
        cases=np.array([f"{split}-{i}" for i in range(len(patient))]),
        patients=np.array([f"{split}-{i}" for i in patient]),
        groups=groups,
    )


def _partner(scenario: Scenario, partner: str) -> Predictions:
    return _split(scenario, partner, 90, blur={"noise_1": 0.7, "noise_3": 0.3}.get(partner, 0.5))


def _said(fair: Predictions, loss: str, jitter: np.random.Generator) -> Predictions:
    noise = jitter.normal(scale=0.6, size=fair.logits.shape)
    logits = (SHARPNESS[loss] * (fair.logits + noise)).astype(np.float32)
    return Predictions(**(vars(fair) | {"logits": logits}))


def _row(name: str, scenario: Scenario) -> dict[str, Any]:
    return {
        "study": "golden",
        "experiment": name,
        "dataset": name,
        "network": "none",
        "recipe": "none",
        "losses": list(SHARPNESS),
        "seeds": list(scenario.seeds),
        "calibrators": list(scenario.calibrators),
        "baseline": "cross_entropy",
        "headline_loss": "gce",
        "headline_calibrator": scenario.calibrators[-1],
        "risk_targets": list(scenario.targets),
        "headline_target": scenario.targets[1],
        "delta": 0.05,
        "partners": dict(scenario.partners),
        "shifted": "",
        "prevalence": dict(scenario.prevalence),
        "costs": {true: dict(told) for true, told in scenario.costs.items()},
    }


def _card(scenario: Scenario, fair: Mapping[str, Predictions]) -> dict[str, Any]:
    classes = scenario.classes
    counts = {
        split: dict(
            zip(classes, np.bincount(each.labels, minlength=len(classes)).tolist(), strict=True)
        )
        for split, each in fair.items()
    }
    counts["train"] = {
        name: round(4000 * share) for name, share in zip(classes, scenario.shares, strict=True)
    }
    return {
        "title": "Simulated",
        "classes": list(classes),
        "critical_classes": list(scenario.critical),
        "long_tail": {"imbalance_ratio": 12} if scenario.long_tail else None,
        "counts": counts,
        "patients": {split: len(set(each.patients)) for split, each in fair.items()},
        "reuse": {},
        "image_size": [8, 8],
        "channels": 1,
        "licence": "none",
        "citation": "none",
        "fingerprint": "0" * 64,
        "show_images": False,
        "simulated": True,
        "notes": [],
    }
