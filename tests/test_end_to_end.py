"""One command takes real images to a risk-coverage report."""

import json
import shutil

import pandas as pd
import pytest

from pipeline.artifacts import read_foreign, read_predictions
from tests.projects import make_project

SPLITS = ("val", "calibration", "threshold", "test")
PARTNER_TABLES = {
    "ood", "ood_answered", "ood_confidence", "shift", "site_recalibration"
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = make_project(tmp_path_factory.mktemp("project"))
    project.run("dvc", "repro")
    return project


@pytest.fixture
def plan(project):
    """Give the plan back as it was, whatever a test wrote into it."""
    before = (project.root / "configs").as_posix()
    copy = project.root / ".configs"
    shutil.copytree(before, copy)
    yield project
    shutil.rmtree(before)
    copy.rename(before)


def test_every_run_leaves_its_logits_weights_history_and_record(project):
    for loss in ("cross_entropy", "gce"):
        run = project.root / f"data/logits/tiny/digits-tiny/{loss}/seed-0"
        for split in SPLITS:
            assert len(read_predictions(run / f"{split}.parquet")) > 0
        assert (run / "weights.safetensors").is_file()
        assert len((run / "history.csv").read_text().splitlines()) == 1 + 2  # header, two epochs
        record = json.loads((run / "run.json").read_text())
        assert record["seed"] == 0


def test_the_report_is_one_file_that_asks_no_host_for_anything(project):
    page = (project.root / "reports/tiny/index.html").read_text()
    assert "digits-tiny" in page
    assert "phantom-tiny" in page
    for request in ('src="http', "src='http", 'href="http', "@import", "url(http"):
        assert request not in page


def test_partners_of_every_kind_are_predicted_and_told_of(project):
    digits, phantom = (
        {path.stem for path in (project.root / f"data/scores/tiny/{name}-tiny").glob("*.csv")}
        for name in ("digits", "phantom")
    )
    out_of_scope = {"ood", "ood_answered", "ood_confidence"}
    assert digits & PARTNER_TABLES == out_of_scope | {"shift", "site_recalibration"}
    assert phantom & PARTNER_TABLES == {"shift", "site_recalibration"}
    shift = pd.read_csv(project.root / "data/scores/tiny/digits-tiny/shift.csv")
    views = ["clean", "contrast 1", "contrast 5", "jpeg 1", "jpeg 5"]
    assert list(shift["view"].unique()) == views
    assert set(shift.loc[shift["view"] != "clean", "cases"]) == {50}
    foreign = project.root / "data/shifted/tiny/digits-tiny/phantom/gce/seed-0.parquet"
    # Images of 32 pixels, read by a network of ten classes that was trained on 8 pixels.
    assert read_foreign(foreign).logits.shape[1] == 10


@pytest.mark.slow
def test_every_number_comes_out_again_from_the_stored_logits(project):
    assert (
        "every number that was computed again comes out as it is stored"
        in project.pipeline("verify", "tiny").stdout
    )


def test_an_added_partner_trains_nothing(plan):
    study = plan.read_yaml("configs/studies/tiny.yaml")
    study["experiments"][1]["partners"].append({"dataset": "digits", "kind": "far_ood"})
    plan.write_yaml("configs/studies/tiny.yaml", study)
    plan.pipeline("plan", "tiny")
    changed = plan.changed_stages()
    assert not {name for name in changed if name.startswith("train@")}
    assert {name for name in changed if name.startswith("shift@")} == {"shift@tiny-phantom-tiny"}
    assert "evaluate@tiny-phantom-tiny" in changed


def test_a_second_repro_has_nothing_to_do(project):
    assert project.changed_stages() == set()


def test_every_stage_has_a_readable_name(project):
    names = project.run("dvc", "stage", "list", "--name-only").stdout.split()
    assert names == [
        "data@digits", "data@digits_corrupted", "data@phantom", "data@phantom_second_site",
        "train@tiny-digits-tiny", "train@tiny-phantom-tiny",
        "shift@tiny-digits-tiny", "shift@tiny-phantom-tiny",
        "evaluate@tiny-digits-tiny", "evaluate@tiny-phantom-tiny",
        "report@tiny", "overview",
    ]  # fmt: skip


def newly_trained(project, experiment):
    """Run an experiment's training stage; return the loss and seed of what it trained."""
    folder = project.root / "data/checkpoints"
    before = {path.name for path in folder.iterdir()}
    project.run("dvc", "repro", "--single-item", f"train@tiny-{experiment}")
    added = [path for path in folder.iterdir() if path.name not in before]
    records = [json.loads((path / "finished/run.json").read_text()) for path in added]
    return {(record["loss"]["name"], record["seed"]) for record in records}


@pytest.mark.slow
def test_an_added_loss_and_an_added_seed_train_themselves_alone(plan):
    record = plan.root / "data/logits/tiny/digits-tiny/gce/seed-0/run.json"
    before = record.read_text()
    study = plan.read_yaml("configs/studies/tiny.yaml")
    study["losses"].append("flsd53")
    plan.write_yaml("configs/studies/tiny.yaml", study)
    plan.pipeline("plan", "tiny")
    trained = {name for name in plan.changed_stages() if name.startswith("train@")}
    assert trained == {"train@tiny-digits-tiny", "train@tiny-phantom-tiny"}
    assert newly_trained(plan, "digits-tiny") == {("flsd53", 0)}
    plan.write_yaml("configs/studies/tiny.yaml", study | {"seeds": [0, 1]})
    plan.pipeline("plan", "tiny")
    losses = ("cross_entropy", "gce", "flsd53")
    assert newly_trained(plan, "digits-tiny") == {(loss, 1) for loss in losses}
    assert record.read_text() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "trained"),
    [
        ("        return mean", "        # Another word on this.\n        return mean", set()),
        ("        return mean", "        return 1.0 * mean", {("gce", 0)}),
    ],
    ids=["a comment trains nothing", "a number trains the runs that use it"],
)
def test_an_edited_loss(project, old, new, trained):
    module = project.root / "pipeline/losses/gce.py"
    before = module.read_text()
    assert old in before
    module.write_text(before.replace(old, new))
    found = newly_trained(project, "phantom-tiny")
    module.write_text(before)
    assert found == trained
