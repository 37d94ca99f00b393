"""Overview: the scores of every tracked study become the front page of all reports."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.plan import read_plan
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
    lines = [
        study_line(
            study, row.title, [read_scores(scores / study / name) for name in row.experiments]
        )
        for study, row in read_plan(root / "configs" / "plan.yaml").studies.items()
    ]
    findings = "evidence/findings.md" if (root / CLAIMS).is_file() else None
    path = root / "reports" / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(overview_page(lines, findings=findings))
