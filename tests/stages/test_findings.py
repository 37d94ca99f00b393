import shutil
from pathlib import Path

import pytest

from pipeline.artifacts import write_json
from pipeline.config.plan import Plan, StudyRow, write_plan
from pipeline.errors import InputError
from pipeline.stages import findings
from tests.findings.simulated_evidence import card, experiment_row, table

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path):
    row = experiment_row("busi", recipe="medical_28")
    study = StudyRow(study="medical", title="Medical", experiments=["busi-thin"])
    plan = Plan(datasets={}, runs={}, shifts={}, experiments={"medical-busi-thin": row},
                studies={"medical": study})  # fmt: skip
    (tmp_path / "configs").mkdir()
    shutil.copytree(ROOT / "configs/recipes", tmp_path / "configs/recipes")
    shutil.copy(ROOT / "configs/claims.yaml", tmp_path / "configs")
    write_plan(plan, tmp_path / "configs/plan.yaml")
    folder = tmp_path / "data/scores/medical/busi-thin"
    folder.mkdir(parents=True)
    write_json({"dataset": card()}, folder / "experiment.json")
    effects = {("gce", "*"): {"ece": -0.05}}
    table(row, effects, noise=0.002, seed=0).to_csv(folder / "runs.csv", index=False)
    return tmp_path


def test_the_page_is_written_from_scores_plan_and_claims_alone(root):
    findings.run(root=root)
    page = (root / "reports/findings.md").read_text(encoding="utf-8")
    assert "| **supported** | 1 for, 0 against, of 1 | ECE −" in page
    first = (root / "reports/findings.md").read_bytes()
    findings.run(root=root)
    assert (root / "reports/findings.md").read_bytes() == first


def test_missing_scores_leave_no_page(root):
    shutil.rmtree(root / "data/scores")
    with pytest.raises(InputError, match="runs.csv: no such file: run evaluate first"):
        findings.run(root=root)
    assert not (root / "reports").exists()
