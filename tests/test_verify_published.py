"""Published evidence held against itself, in a clone that has nothing else."""

import shutil
import sys

import pandas as pd
import pytest

from pipeline import __main__ as command_line
from pipeline.artifacts import read_json, write_json
from pipeline.errors import InputError
from pipeline.findings import publish
from pipeline.findings.evidence import FOLDER
from pipeline.findings.tidy import read_tidy, write_tidy
from pipeline.verifying import studies_not_here, verify
from tests.findings.simulated_evidence import experiment_row
from tests.findings.simulated_study import write_project

BUSI = experiment_row("busi")
DIGITS = experiment_row("digits", study="quick", seeds=[0, 1, 2])
STUDY = f"{FOLDER}/medical"
SCORES = f"{STUDY}/scores.parquet"


@pytest.fixture
def clone(tmp_path):
    """Two published studies without the data that they were published from."""
    write_project(tmp_path, BUSI, DIGITS, effects={("gce", "*"): {"ece": -0.05}})
    publish(["medical", "quick"], root=tmp_path)
    shutil.rmtree(tmp_path / "data")
    return tmp_path


def differences(clone):
    return list(verify([], root=clone, tolerance=0.0))


def test_untouched_evidence_comes_out_again_and_nothing_is_written(clone):
    before = {path: path.stat().st_mtime_ns for path in clone.rglob("*")}
    assert differences(clone) == []
    assert {path: path.stat().st_mtime_ns for path in clone.rglob("*")} == before
    assert studies_not_here(clone) == ["medical", "quick"]


def test_a_verdict_changed_by_hand_is_named_by_its_line(clone):
    page = clone / FOLDER / "findings.md"
    page.write_text(page.read_text().replace("**supported**", "**contradicted**", 1))
    (found,) = differences(clone)
    assert found.path == f"{FOLDER}/findings.md"
    assert "contradicted" in found.stored
    assert "supported" in found.recomputed


def test_a_digit_changed_in_a_summary_is_named_by_its_row(clone):
    path = clone / STUDY / "summary.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    stored = table.loc[3, "mean"]
    table.loc[3, "mean"] = changed = stored[:-1] + str((int(stored[-1]) + 1) % 10)
    table.to_csv(path, index=False)
    (found,) = differences(clone)
    assert (found.path, found.stored, found.recomputed) == (f"{STUDY}/summary.csv", changed, stored)
    assert found.place.startswith("row 4 (experiment busi-thin, loss cross_entropy, ")


def test_a_value_changed_in_the_scores_is_found_by_all_that_follows_from_it(clone):
    scores = read_tidy(clone / SCORES)
    scores.loc[scores["metric"] == "ece", "value"] += 0.25
    write_tidy(scores, clone / SCORES)
    (clone / STUDY / "summary.csv").unlink()
    assert f"{STUDY}/summary.csv: stored no such file, recomputed a file" in [
        str(each) for each in differences(clone)
    ]
    scores.loc[0, "value"] += 2**-50
    write_tidy(scores, clone / SCORES)
    assert {each.path for each in differences(clone)} == {f"{STUDY}/summary.csv"}


def test_rows_that_the_provenance_does_not_tell_of_are_named_and_so_are_those_it_misses(clone):
    scores = read_tidy(clone / SCORES)
    scores = scores[~((scores["loss"] == "gce") & (scores["seed"] == 4))]
    scores["seed"] = scores["seed"].replace({3: 9})
    write_tidy(scores, clone / SCORES)
    found = {(each.place, each.stored) for each in differences(clone) if each.path == SCORES}
    assert ("busi-thin: gce, ats, 4", "nothing") in found
    assert ("busi-thin: gce, ats, 3", "nothing") in found
    assert ("busi-thin: gce, ats, 9", "a row") in found
    assert ("busi-thin: cross_entropy, ats, 4", "nothing") not in found
    assert len(found) == 3 * (1 + 2 * 2)


def test_operating_points_of_other_seeds_are_named(clone):
    path = clone / STUDY / "operating_points.csv"
    table = pd.read_csv(path)
    table.iloc[:-1].to_csv(path, index=False)
    (found,) = differences(clone)
    assert (found.path, found.stored) == (f"{STUDY}/operating_points.csv", "nothing")
    assert found.place == "busi-thin: gce, ats, 4, 0.05"
    pd.concat([table, table.iloc[:2]]).to_csv(path, index=False)
    (found,) = differences(clone)
    assert (found.place, found.stored) == ("busi-thin: rows that stand there twice", "2")


def test_a_run_that_the_provenance_lost_is_named(clone):
    path = clone / STUDY / "provenance.json"
    content = read_json(path)
    write_json(content | {"runs": content["runs"][1:]}, path)
    (found,) = differences(clone)
    assert (found.path, found.place) == (f"{STUDY}/provenance.json", "busi-thin: cross_entropy, 0")


def test_an_experiment_that_the_plan_does_not_know_is_named(clone):
    path = clone / STUDY / "operating_points.csv"
    table = pd.read_csv(path)
    pd.concat([table, table.assign(experiment="other")]).to_csv(path, index=False)
    (found,) = differences(clone)
    assert (found.place, found.stored) == ("experiment other", "rows")


def test_broken_evidence_is_said_in_a_line(clone):
    (clone / SCORES).write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"medical/scores.parquet: no Parquet file any more"):
        differences(clone)


def test_a_study_that_is_named_must_have_its_logits_here(clone):
    with pytest.raises(InputError, match=r"reports/medical: no such file: dvc repro report@med"):
        verify(["medical"], root=clone, tolerance=0.0)


def test_without_evidence_and_logits_there_is_nothing_to_verify(clone):
    shutil.rmtree(clone / "reports")
    with pytest.raises(InputError, match=r"nothing to verify: .* not here of medical, quick: dvc"):
        differences(clone)


def test_the_command_says_whose_logits_are_not_here(clone, monkeypatch, capsys):
    monkeypatch.chdir(clone)
    monkeypatch.setattr(sys, "argv", ["pipeline", "verify"])
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    assert stopped.value.code == 0
    assert capsys.readouterr().out.splitlines() == [
        "not computed from logits, which are not here: medical, quick",
        "every number that was computed again comes out as it is stored",
    ]
