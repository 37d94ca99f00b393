"""Findings: the scores of all planned studies become answers to the claims under test."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.claims import Claims
from pipeline.config.plan import read_plan
from pipeline.config.reading import read_config
from pipeline.findings import findings_page, read_evidence


def run(*, root: Path) -> None:
    """Write ``reports/findings.md`` from ``data/scores`` and ``configs/claims.yaml``.

    Raises
    ------
    InputError
        If an experiment of the plan has no scores, or a claim names a column that a table lacks.
    """
    claims = read_config(root / "configs/claims.yaml", Claims)
    plan = read_plan(root / "configs/plan.yaml")
    every = read_evidence(root, plan, claims.planned)
    path = root / "reports/findings.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(findings_page(claims, plan, every), encoding="utf-8")
