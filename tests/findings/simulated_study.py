"""A project whose studies were evaluated: simulated score tables in `data/scores`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import write_json
from pipeline.config.plan import ExperimentRow, Plan, StudyRow, write_plan
from tests.findings.simulated_evidence import Effects, table

ROOT = Path(__file__).parents[2]
RECIPE = "epochs: 7\nbatch_size: 8\noptimiser: {kind: adam, learning_rate: 0.01}\n"
VERSIONS = {"calibrated-imaging": "0.1.0", "python": "3.11.7", "torch": "2.13.0"}
PROCESSOR = {"architecture": "x86_64", "kernels": "AVX2", "onednn": "AVX2", "threads": 1}
CARD = {
    "title": "Simulated",
    "counts": {"train": {"a": 997}, "test": {"a": 199}},
    "images": {"train": 1000, "test": 200},
    "patients": {"train": 500, "test": 150},
    "fingerprint": "d" * 64,
    "licence": "none",
}


def write_project(root: Path, *rows: ExperimentRow, **changes: Any) -> Path:
    """Write configs, plan and scores of some experiments; see `write_scores` for what changes."""
    (root / "configs/recipes").mkdir(parents=True, exist_ok=True)
    (root / "configs/recipes/short.yaml").write_text(RECIPE)
    shutil.copy(ROOT / "configs/claims.yaml", root / "configs")
    write_plan(plan_of(*rows), root / "configs/plan.yaml")
    for number, row in enumerate(rows):
        write_scores(root, row, **{"seed": number} | changes)
    return root


def plan_of(*rows: ExperimentRow) -> Plan:
    by_study: dict[str, list[str]] = {}
    for row in rows:
        by_study.setdefault(row.study, []).append(row.experiment)
    return Plan(
        datasets={},
        shifts={},
        experiments={f"{row.study}-{row.experiment}": row for row in rows},
        studies={
            name: StudyRow(study=name, title=name.capitalize(), experiments=experiments)
            for name, experiments in by_study.items()
        },
    )


def scores_folder(root: Path, row: ExperimentRow) -> Path:
    return root / "data/scores" / row.study / row.experiment


def write_scores(
    root: Path,
    row: ExperimentRow,
    *,
    effects: Effects | None = None,
    noise: float = 0.002,
    seed: int = 0,
    tables: Mapping[str, pd.DataFrame] | None = None,
    run: Mapping[str, Any] | None = None,
    evaluated_dirty: bool = False,
) -> None:
    """Write what evaluate leaves of one experiment; `run` changes the record of every run."""
    folder = scores_folder(root, row)
    folder.mkdir(parents=True, exist_ok=True)
    runs = table(row, effects or {}, noise=noise, seed=seed)
    for name, each in {"runs": runs, **(tables or {})}.items():
        each.to_csv(folder / f"{name}.csv", index=False)
    points(row).to_csv(folder / "operating_points.csv", index=False)
    write_json(row.model_dump() | {"dataset": CARD}, folder / "experiment.json")
    records = [
        run_record(loss, number) | dict(run or {}) for loss in row.losses for number in row.seeds
    ]
    code = {"revision": "c" * 40, "dirty": evaluated_dirty, "versions": VERSIONS}
    partners = {name: partner_record(row) for name in row.partners}
    provenance = {"runs": records, "evaluated_by": code} | (
        {"partners": partners} if partners else {}
    )
    write_json(provenance, folder / "provenance.json")


def run_record(loss: str, seed: int) -> dict[str, Any]:
    return {
        "loss": loss, "seed": seed, "revision": "a" * 40, "dirty": False,
        "data_fingerprint": "d" * 64, "config_hash": loss[0] * 64,
        "logits_sha256": f"{loss}-{seed}", "versions": VERSIONS, "processor": PROCESSOR,
        "device": "cpu, threads: 1, processes: 1", "wall_seconds": 3.25,
    }  # fmt: skip


def partner_record(row: ExperimentRow) -> dict[str, Any]:
    """A partner's `shift.json`."""
    runs = [
        {"loss": loss, "seed": seed, "trained_logits_sha256": "t", "logits_sha256": f"p{seed}"}
        for loss in row.losses
        for seed in row.seeds
    ]
    return {"data_fingerprint": "e" * 64, "kind": "far_ood", "runs": runs, "revision": "a" * 40,
            "dirty": False, "versions": VERSIONS}  # fmt: skip


def points(row: ExperimentRow) -> pd.DataFrame:
    """A threshold at every target: of 150 patients 75 are answered, 3 of them wrongly."""
    found = {
        "delta": row.delta, "status": "found", "threshold": 0.9, "num_threshold_patients": 120,
        "minimum_answered": 59, "lowest_upper_limit": 0.04, "lowest_limit_wrong": 1.0,
        "lowest_limit_answered": 80.0, "num_candidates": 10, "num_test": 150, "answered": 75,
        "referred": 75, "wrong": 3, "risk": 0.04, "risk_lower": 0.01, "risk_upper": 0.11,
        "one_sided_upper": 0.1,
    }  # fmt: skip
    return pd.DataFrame(
        [
            {"loss": loss, "seed": seed, "calibrator": calibrator, "target": target} | found
            for loss in row.losses
            for seed in row.seeds
            for calibrator in row.calibrators
            for target in row.risk_targets
        ]
    )


def partner_tables(row: ExperimentRow) -> dict[str, pd.DataFrame]:
    """All optional tables, with keys, metrics, and columns that nobody publishes."""
    same = {"partner": "corrupted", "kind": "corruption"}
    views = [("clean", None, 0), ("blur 1", "blur", 1), ("blur 2", "blur", 2)]
    shift = pd.concat(
        [
            table(row, {}, noise=0.01, seed=10 + severity, view=view,
                  corruption=corruption, severity=severity, cases=200, **same)
            for view, corruption, severity in views
        ]
    )  # fmt: skip
    tail = pd.concat(
        [table(row, {}, noise=0.01, seed=20 + i, rule="count", group=group, num_classes=2)
         for i, group in enumerate(("many", "few"))]
    )  # fmt: skip
    ood = table(row, {}, noise=0.01, seed=30, partner="dtd", kind="far_ood", score="max_softmax")
    site = pd.concat(
        [table(row, {}, noise=0.01, seed=40 + i, partner="south", correction=correction)
         for i, correction in enumerate(("none", "few_shot_20"))]
    )  # fmt: skip
    return {"shift": shift, "long_tail": tail, "ood": ood.rename(columns={"accuracy": "auroc"}),
            "site_recalibration": site}  # fmt: skip
