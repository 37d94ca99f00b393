"""Score files of a simulated study, computed from simulated logits: what `evaluate` would write."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.config.plan import Plan, StudyRow, write_plan
from pipeline.evaluation.disclosure import disclosed_card, disclosed_tables
from pipeline.hashes import write_hashes
from pipeline.outgoing_text import csv_text
from pipeline.report import Scores
from tests.report import simulated_extras as extras
from tests.report import simulated_tables as common
from tests.report.simulated_details import COSTS, detail_tables
from tests.report.simulated_outcomes import CALIBRATORS, Outcome, Scenario, simulate
from tests.report.simulated_partners import partner_tables

SCREENING = Scenario(
    name="phantom-thin_resnet",
    title="Phantom: a simulated screening study",
    classes=("normal", "benign", "malignant"),
    prevalence=(0.70, 0.22, 0.08),
    critical=("malignant",),
)
DIGITS = Scenario(
    name="digits-thin_resnet",
    title="Digits: handwritten digits of scikit-learn",
    classes=tuple("0123456789"),
    prevalence=(0.1,) * 10,
    num_test=360,
    signal=16.0,
    simulated=False,
    extras=False,
)


def experiment_record(study: str, scenario: Scenario) -> dict[str, object]:
    shares = {"train": 4.0, "val": 0.5, "calibration": 1.0, "threshold": 1.0, "test": 1.0}
    counts = {
        split: {
            name: round(share * scenario.num_test * p)
            for name, p in zip(scenario.classes, scenario.prevalence, strict=True)
        }
        for split, share in shares.items()
    }
    return {
        "study": study,
        "experiment": scenario.name,
        "dataset": {
            "title": scenario.title,
            "classes": list(scenario.classes),
            "critical_classes": list(scenario.critical),
            "image_size": [64, 64],
            "channels": 1,
            "licence": "CC0: simulated" if scenario.simulated else "BSD-3-Clause",
            "citation": "Simulated for this report.",
            "counts": counts,
            "patients": {split: sum(each.values()) for split, each in counts.items()},
            "reuse": {},
            "notes": [] if scenario.simulated else ["Every image counts as a patient of its own."],
            "fingerprint": "5d1c" * 16,
            "show_images": scenario.simulated,
            "simulated": scenario.simulated,
        },
        "network": "thin_resnet",
        "recipe": "short",
        "losses": list(scenario.losses),
        "seeds": list(scenario.seeds),
        "calibrators": list(CALIBRATORS),
        "baseline": "cross_entropy",
        "headline_loss": "gce",
        "headline_calibrator": "ats",
        "risk_targets": list(common.TARGETS),
        "headline_target": 0.05,
        "delta": common.DELTA,
        "costs": COSTS if scenario.extras else {},
        "prevalence": extras.stated_shares(scenario.classes) if scenario.extras else {},
        "bootstrap": {"num_resamples": 1000, "level": 0.95, "unit": "patient"},
    }


def provenance_record(scenario: Scenario) -> dict[str, object]:
    versions = {"python": "3.11.2", "numpy": "2.4.6", "torch": "2.13.0", "monai": "1.6.1"}
    runs = [
        {"loss": loss, "seed": seed, "revision": "0d9f" * 10, "dirty": False}
        | {"data_fingerprint": "5d1c" * 16, "config_hash": "77aa" * 16}
        | {"logits_sha256": f"{index:02x}" * 32, "versions": versions, "device": "cpu"}
        | {"wall_seconds": 31.5}
        for index, (loss, seed) in enumerate(
            (loss, seed) for loss in scenario.losses for seed in scenario.seeds
        )
    ]
    return {"runs": runs, "evaluated_by": {"revision": "0d9f" * 10, "versions": versions}}


def write_study(
    root: Path, *scenarios: Scenario, study: str = "quick", title: str = "Quick: digits and phantom"
) -> None:
    """Write a plan and the score files of one study below a folder."""
    for scenario in scenarios:
        folder = root / "data" / "scores" / study / scenario.name
        write_scores(folder, study, scenario)
        write_hashes(folder)
    names = [each.name for each in scenarios]
    studies = {study: StudyRow(study=study, title=title, experiments=names)}
    plan = Plan.model_validate(dict.fromkeys(Plan.model_fields, {}) | {"studies": studies})
    (root / "configs").mkdir(parents=True, exist_ok=True)
    write_plan(plan, root / "configs" / "plan.yaml")


def write_scores(folder: Path, study: str, scenario: Scenario) -> None:
    """Write one experiment's score files."""
    threshold, test = simulate(scenario)
    runs = common.runs_table(test)
    points = common.operating_points_table(threshold, test)
    exact_band = common.exact_band_table(test, scenario.seeds[0])
    tables = {
        "runs": runs,
        "summary": common.summary_table(runs),
        "risk_coverage": common.risk_coverage_table(test),
        "exact_band": exact_band,
        "reliability": common.reliability_table(test),
        "operating_points": points,
        "per_class": common.per_class_table(test, points, scenario.classes),
        "calibrators": common.calibrators_table(test),
        "history": common.history_table(scenario),
    }
    if scenario.extras:
        tables |= _extra_tables(scenario, test, tables)
        tables |= detail_tables(scenario, threshold, test, points)
    folder.mkdir(parents=True, exist_ok=True)
    record = experiment_record(study, scenario)
    for name, table in disclosed_tables(tables, record["dataset"]).items():
        (folder / f"{name}.csv").write_text(csv_text(table), encoding="utf-8")
    records = {
        "experiment": record | {"dataset": disclosed_card(tables, record["dataset"])},
        "provenance": provenance_record(scenario),
    }
    for name, record in records.items():
        (folder / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")


def _extra_tables(
    scenario: Scenario, test: list[Outcome], tables: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    points, target = tables["operating_points"], 0.05
    headline = "loss == 'gce' and calibrator == 'ats' and target == @target"
    threshold = float(points.query(headline)["threshold"].iloc[0])
    return {
        "accepted": extras.accepted_table(test, tables["exact_band"], scenario.classes),
        "accepted_groups": extras.accepted_groups_table(test, tables["exact_band"]),
        "class_calibration": extras.class_calibration_table(test, scenario.classes),
        "comparisons": extras.comparisons_table(tables["runs"]),
        "confidence": extras.confidence_table(test),
        "costs": extras.costs_table(test, threshold, target),
        "differences": extras.differences_table(tables["runs"], "cross_entropy"),
        "gallery": extras.gallery_table(test, scenario.classes),
        "groups": extras.groups_table(test, threshold, target),
        "levels": extras.levels_table(test),
        "long_tail": extras.long_tail_table(test),
        "net_benefit": extras.net_benefit_table(test, scenario.classes, scenario.critical),
        "selection": extras.selection_table(tables["runs"]),
        "smooth_curve": extras.smooth_curve_table(test),
        "workload": extras.workload_table(test, scenario.classes, threshold, target),
    } | partner_tables(test, points)


def handed_out(scores: Scores) -> Scores:
    """The same scores as they come out of what `write_scores` lets pass."""
    return replace(scores, frames=disclosed_tables(scores.frames, scores.dataset))


def with_last_class_called(name: str, scores: Scores) -> Scores:
    """The same scores with the last class critical and called otherwise, everywhere."""
    old = scores.dataset["classes"][-1]
    classes = [*scores.dataset["classes"][:-1], name]
    counts = {
        split: {name if key == old else key: count for key, count in by_class.items()}
        for split, by_class in scores.dataset["counts"].items()
    }
    changed = {"classes": classes, "critical_classes": [name], "counts": counts}
    dataset = scores.dataset | changed
    renamed = {column: {old: name} for column in ("class", "group", "label", "prediction")}
    frames = {key: table.replace(renamed) for key, table in scores.frames.items()}
    return replace(scores, record=scores.record | {"dataset": dataset}, frames=frames)


def enlarged(
    scores: Scores, *, name: str, num_losses: int, num_seeds: int, num_calibrators: int = 3
) -> Scores:
    """The same scores under another name, with as many of each, copies of the first loss's."""
    first = scores.record["headline_loss"]
    losses = ["gce", "cross_entropy", *(f"loss_{i}" for i in range(num_losses - 2))]
    copies = [f"calibrator_{i}" for i in range(num_calibrators - len(CALIBRATORS))]
    seeds = list(range(num_seeds))
    runs = [
        scores.provenance["runs"][0] | {"loss": loss, "seed": seed}
        for loss in losses
        for seed in seeds
    ]
    calibrators = [*CALIBRATORS, *copies]
    record = scores.record | {"experiment": name, "losses": losses, "seeds": seeds}
    return replace(
        scores,
        record=record | {"calibrators": calibrators},
        provenance=scores.provenance | {"runs": runs},
        frames={
            key: _enlarged(table, {"loss": losses, "seed": seeds}, first, copies)
            for key, table in scores.frames.items()
        },
    )


def _enlarged(
    table: pd.DataFrame, wanted: dict[str, list], first: str, copies: list[str]
) -> pd.DataFrame:
    if "calibrator" in table and copies:
        # A table that spares temperature is about few calibrators and stays so.
        ours = table[table["calibrator"] == "temperature"]
        table = pd.concat([table, *(ours.assign(calibrator=name) for name in copies)])
    for key, names in wanted.items():
        if key not in table or table[key].nunique() < 2:
            continue
        ours = table[table[key] == (first if key == "loss" else table[key].iloc[0])]
        table = pd.concat([ours.assign(**{key: name}) for name in names])
    return table.reset_index(drop=True)
