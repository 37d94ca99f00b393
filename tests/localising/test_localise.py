"""A release is taken to another place: reported on, fitted anew, and used there."""

import csv
import json
import shutil
import sys

import numpy as np
import pytest

from pipeline import __main__ as command_line
from pipeline.calibrators.site import SiteRecalibration
from pipeline.hashes import write_hashes
from pipeline.predicting.predictor import Predictor
from pipeline.releasing import read_release


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["pipeline", "localise", *map(str, arguments)])
    try:
        command_line.main()
    except SystemExit as stopped:
        return stopped.code or 0
    return 0


def arguments(release, clinic, out):
    labels = ["--labels", clinic / "labels.csv", "--key", "sop", "--key-column", "sop_uid"]
    return [release, "--cases", clinic / "images", *labels, "--out", out]


@pytest.fixture(scope="module")
def parent(small_release, tmp_path_factory):
    """The small release, far too sure of itself, so that its place has something to correct."""
    folder = shutil.copytree(small_release, tmp_path_factory.mktemp("parent") / "release")
    content = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    state = content["calibrator"]["state"]
    state["log_temperatures"] = [each - 1.0 for each in state["log_temperatures"]]
    (folder / "release.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "SHA256SUMS").unlink()
    write_hashes(folder)
    return folder


@pytest.fixture(scope="module")
def localised(parent, clinic, tmp_path_factory):
    """What the command wrote, and its two sentences."""
    out = tmp_path_factory.mktemp("localised") / "out"
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert run(monkeypatch, *arguments(parent, clinic, out)) == 0
    return out, json.loads((out / "localised.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_new_release_has_the_places_calibrator_and_rule_and_names_its_parent(localised, parent):
    out, told = localised
    parent, released = read_release(parent), read_release(out / "release")
    release = released.release
    assert told["parent"] == release.parent == parent.sha256
    assert isinstance(released.calibrator, SiteRecalibration)
    assert released.calibrator.source == parent.calibrator
    assert release.rule.found
    assert release.rule.model_dump(mode="json") == told["rule"]
    assert release.reference.num_patients == release.rule.num_patients == 126
    for same in ("members", "preprocessing", "scope", "classes", "codes", "modality"):
        assert getattr(release, same) == getattr(parent.release, same)
    assert f"Made from the release {parent.sha256}" in (out / "release/docs/README.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.slow
def test_the_new_release_decides_by_the_new_calibrator(localised, parent, clinic):
    out, _ = localised
    files = sorted((clinic / "images").rglob("*.dcm"))[:60]
    new = Predictor(read_release(out / "release")).decide(files)
    old = Predictor(read_release(parent)).decide(files)
    threshold = read_release(out / "release").release.rule.threshold
    assert [each.patient for each in new] == [each.patient for each in old]
    assert {each.threshold for each in new} == {threshold}
    # The parent was made too sure, and softer probabilities are those of who learnt it here.
    assert np.mean([each.confidence for each in new]) < np.mean([each.confidence for each in old])


@pytest.mark.slow
def test_the_report_compares_all_calibrators_and_says_how_the_release_fared(localised):
    out, told = localised
    page = (out / "report/index.html").read_text(encoding="utf-8")
    assert told["validation"] in page
    about = json.loads((out / "report/scores/experiment.json").read_text(encoding="utf-8"))
    assert about["calibrators"] == ["identity", "ats", "site"]
    assert sum(about["dataset"]["patients"].values()) == 250


@pytest.mark.slow
def test_cases_that_are_too_few_give_a_report_and_exit_code_one(
    monkeypatch, capsys, small_release, clinic, tmp_path
):
    out = tmp_path / "out"
    code = run(monkeypatch, *arguments(small_release, clinic, out), "--target", 0.02)
    assert code == 1
    said = capsys.readouterr().out.splitlines()
    assert said[1].endswith("labelled patients more are needed.")
    assert (out / "report/index.html").is_file()
    assert not (out / "release").exists()


def test_labels_of_too_few_patients_are_refused_and_nothing_is_written(
    monkeypatch, capsys, small_release, clinic, tmp_path
):
    with (clinic / "labels.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.reader(table))
    labels = tmp_path / "labels.csv"
    with labels.open("w", encoding="utf-8", newline="") as table:
        csv.writer(table).writerows(rows[:12])
    changed = arguments(small_release, clinic, tmp_path / "out")
    changed[changed.index(clinic / "labels.csv")] = labels
    assert run(monkeypatch, *changed) == 2
    assert "error: too few cases: at least 20 labelled patients expected" in (
        capsys.readouterr().err
    )
    assert [path.name for path in tmp_path.iterdir()] == ["labels.csv"]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (
            ["--name", "north\\south"],
            "the new release: key 'name': text expected, without a backsl",
        ),
        (
            ["--name", "north\x1b[31m"],
            "the new release: key 'name': text expected, without a backsl",
        ),
        (["--sign", "nobody"], "nobody: no such file: a private SSH key expected"),
    ],
)
def test_what_no_release_can_be_called_or_signed_with_is_refused_before_any_case_is_read(
    monkeypatch, capsys, small_release, clinic, tmp_path, options, fault
):
    out = tmp_path / "out"
    assert run(monkeypatch, *arguments(small_release, clinic, out), *options) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: {fault}")
    assert told.count("\n") == 1
    assert not out.exists()


def test_a_target_that_is_no_share_is_refused(monkeypatch, capsys, small_release, clinic, tmp_path):
    out = tmp_path / "out"
    assert run(monkeypatch, *arguments(small_release, clinic, out), "--target", 5) == 2
    assert "the target must lie in (0, 1), got 5.0" in capsys.readouterr().err
