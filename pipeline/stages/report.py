"""Report: the scores of a study's experiments become pages, tables, figures and metrics."""

from __future__ import annotations

from pathlib import Path

from pipeline.artifacts import require_intact, whole_folder, write_json
from pipeline.config.plan import read_plan, require_row
from pipeline.report import headline_metrics, read_scores, study_files


def run(key: str, *, root: Path) -> None:
    """Write ``reports/STUDY`` from ``data/scores/STUDY``; experiments are those of the plan.

    Raises
    ------
    InputError
        If the plan has no such study, or a score file is missing or not what it must be.
    """
    plan = read_plan(root / "configs" / "plan.yaml")
    row = require_row(plan.studies, key)
    folders = {name: root / "data" / "scores" / key / name for name in row.experiments}
    for name, folder in folders.items():
        require_intact(folder, stage=f"evaluate@{key}-{name}")
    scores = [read_scores(folder) for folder in folders.values()]
    with whole_folder(root / "reports" / key) as folder:
        for name, content in study_files(key, row.title, scores).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for each in scores:
            write_json(headline_metrics(each), folder / "metrics" / f"{each.name}.json")
