"""The page of findings, computed again from the stored scores."""

import shutil
from pathlib import Path

import pytest
import yaml

from pipeline.artifacts import write_json
from pipeline.config.plan import Plan, write_plan
from pipeline.errors import InputError
from pipeline.stages import findings
from pipeline.verifying import verify
from tests.findings.simulated_evidence import card, experiment_row, table

ROOT = Path(__file__).parents[1]
PAGE = "reports/findings.md"


@pytest.fixture
def project(tmp_path):
    """Scores of an experiment and the page that follows; no study, so nothing else is verified."""
    row = experiment_row("busi", recipe="medical_28")
    (tmp_path / "configs").mkdir()
    shutil.copytree(ROOT / "configs/recipes", tmp_path / "configs/recipes")
    shutil.copy(ROOT / "configs/claims.yaml", tmp_path / "configs")
    plan = Plan(datasets={}, runs={}, shifts={}, experiments={"medical-busi": row}, studies={})
    write_plan(plan, tmp_path / "configs/plan.yaml")
    folder = tmp_path / "data/scores/medical/busi-thin"
    folder.mkdir(parents=True)
    write_json({"dataset": card()}, folder / "experiment.json")
    effects = {("gce", "*"): {"ece": -0.05}}
    table(row, effects, noise=0.002, seed=0).to_csv(folder / "runs.csv", index=False)
    findings.run(root=tmp_path)
    return tmp_path


def test_an_untouched_page_comes_out_again(project):
    assert list(verify([], root=project, tolerance=0.0)) == []


def test_a_verdict_changed_by_hand_is_named_by_its_line(project):
    page = project / PAGE
    page.write_text(page.read_text().replace("**supported**", "**contradicted**", 1))
    (found,) = verify([], root=project, tolerance=0.0)
    assert found.path == PAGE
    assert "contradicted" in found.stored
    assert "supported" in found.recomputed


def test_a_page_that_follows_from_other_scores_is_named(project):
    scores = project / "data/scores/medical/busi-thin/runs.csv"
    scores.write_text(scores.read_text().replace("\ngce,identity,0,", "\nother,identity,0,"))
    assert {found.path for found in verify([], root=project, tolerance=0.0)} == {PAGE}


def test_the_page_is_held_against_what_dvc_recorded(project):
    outs = [{"path": PAGE, "md5": "0" * 32}]
    lock = {"stages": {"findings": {"cmd": "python -m pipeline findings", "outs": outs}}}
    (project / "dvc.lock").write_text(yaml.safe_dump(lock))
    (found,) = verify([], root=project, tolerance=0.0)
    assert (found.place, found.stored) == ("md5 (dvc.lock, findings)", "0" * 32)


def test_a_missing_page_is_said_before_anything_is_computed(project):
    (project / PAGE).unlink()
    with pytest.raises(InputError, match=r"findings.md: no such file: dvc repro findings, or dvc"):
        verify([], root=project, tolerance=0.0)
