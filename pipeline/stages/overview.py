"""Overview: the scores of every tracked study become the front page of all reports."""

from __future__ import annotations

from pathlib import Path

from pipeline.artifacts import require_intact
from pipeline.config.plan import read_plan
from pipeline.disk_faults import writing_to
from pipeline.report import overview_page, read_scores, study_line

CLAIMS = "configs/claims.yaml"
"""Where there are claims to answer, the published findings are linked."""


def run(*, root: Path) -> None:
    """Write ``reports/index.html`` from ``data/scores``; studies are those of the plan.

    Raises
    ------
    InputError
        If a score file of a study is missing or not what it must be.
    """
    scores = root / "data" / "scores"
    plan = read_plan(root / "configs" / "plan.yaml")
    for study, row in plan.studies.items():
        for name in row.experiments:
            require_intact(scores / study / name, stage=f"evaluate@{study}-{name}")
    lines = [
        study_line(
            study, row.title, [read_scores(scores / study / name) for name in row.experiments]
        )
        for study, row in plan.studies.items()
    ]
    findings = "evidence/findings.md" if (root / CLAIMS).is_file() else None
    path = root / "reports" / "index.html"
    page = overview_page(lines, findings=findings)
    with writing_to("reports"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page)
