import json
import shutil
import sys

import pandas as pd
import pytest
import yaml

from pipeline import __main__ as command_line
from pipeline.artifacts import read_json, write_json
from pipeline.config.claims import Claims
from pipeline.config.reading import read_config
from pipeline.errors import InputError
from pipeline.findings import publish, publishing, read_studies, write_findings
from pipeline.findings.evidence import CLAIMS, FOLDER, read_study
from pipeline.findings.publishing import published_metrics
from pipeline.findings.tidy import TABLES
from pipeline.metrics import metrics_shown
from tests.findings.designed_study import DESIGN
from tests.findings.simulated_evidence import experiment_row
from tests.findings.simulated_study import (
    CARD,
    partner_tables,
    plan_of,
    points,
    run_record,
    scores_folder,
    write_project,
    write_scores,
)

BUSI = experiment_row("busi", risk_targets=[0.05, 0.1], partners={"dtd": "far_ood"})
DIGITS = experiment_row("digits", study="quick", seeds=[0, 1, 2])
BETTER = {("gce", "*"): {"ece": -0.05}}
FILES = ["operating_points.csv", "provenance.json", "scores.parquet", "summary.csv"]


@pytest.fixture
def project(tmp_path):
    root = write_project(tmp_path, BUSI, DIGITS, effects=BETTER)
    write_scores(root, BUSI, effects=BETTER, tables=partner_tables(BUSI))
    return root


def contents(root):
    folder = root / FOLDER
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}  # fmt: skip


def test_a_study_is_four_files_beside_the_findings_and_what_the_files_are(project):
    publish(["medical"], root=project)
    names = {*(f"medical/{name}" for name in FILES), "findings.md", "README.md"}
    assert set(contents(project)) == names
    readme = (project / FOLDER / "README.md").read_text()
    assert all(name in readme for name in (*FILES, "findings.md"))


def test_every_seed_s_value_is_published_to_the_last_digit(project):
    publish(["medical"], root=project)
    (evidence,) = read_study(project / FOLDER / "medical").experiments
    assert set(evidence.tables) == set(TABLES)
    for name, published in evidence.tables.items():
        stored = pd.read_csv(scores_folder(project, BUSI) / f"{name}.csv", dtype=str)
        assert len(published) == len(stored)
        for column in published.columns:
            defined = stored[column].notna()
            found = [str(value) for value in published[column][defined]]
            assert found == stored[column][defined].tolist()


def test_only_metrics_that_claims_or_results_use_are_published(project):
    publish(["medical"], root=project)
    (evidence,) = read_study(project / FOLDER / "medical").experiments
    metrics = published_metrics(read_config(project / CLAIMS, Claims))
    assert set(metrics_shown("results")) < set(metrics["runs"])
    for name, table in evidence.tables.items():
        assert list(table.columns)[3 + len(TABLES[name]) :] == metrics[name]


def test_publishing_twice_gives_the_same_bytes(project):
    publish(["medical", "quick"], root=project)
    first = contents(project)
    publish(["quick", "medical"], root=project)
    assert contents(project) == first


def test_studies_are_published_apart_and_the_findings_speak_of_all(project):
    publish(["quick"], root=project)
    before = contents(project)
    assert "None of the planned studies." in before["findings.md"].decode()
    shutil.rmtree(scores_folder(project, DIGITS))
    publish(["medical"], root=project)
    after = contents(project)
    assert {name: after[name] for name in before if name.startswith("quick/")} == {
        name: content for name, content in before.items() if name.startswith("quick/")
    }
    assert "| medical | busi-thin |" in after["findings.md"].decode()
    assert (
        "Published, but not planned to answer the claims: quick." in after["findings.md"].decode()
    )


def test_a_study_published_again_leaves_nothing_of_the_former(project):
    publish(["medical"], root=project)
    (project / FOLDER / "medical/old.csv").write_text("a\n")
    publish(["medical"], root=project)
    assert "medical/old.csv" not in contents(project)


def test_operating_points_are_those_of_two_losses_at_all_targets_and_seeds(project):
    losses = ["cross_entropy", "brier", "gce"]
    row = experiment_row("busi", losses=losses, risk_targets=[0.05, 0.1])
    write_project(project, row)
    publish(["medical"], root=project)
    found = read_study(project / FOLDER / "medical").points
    assert set(found["experiment"]) == {"busi-thin"}
    assert set(found["loss"]) == {"cross_entropy", "gce"}
    assert set(found["calibrator"]) == {"ats"}
    assert len(found) == 2 * 5 * 2


def test_the_record_names_code_data_machine_and_plan_and_no_clock_and_no_folder(project):
    publish(["medical"], root=project)
    path = project / FOLDER / "medical/provenance.json"
    content, text = read_json(path), path.read_text()
    assert content["every_run"]["revision"] == "a" * 40
    assert content["every_run"]["processor"]["kernels"] == "AVX2"
    assert content["runs"][0] == {
        "experiment": "busi-thin", "loss": "cross_entropy", "seed": 0, "config_hash": "c" * 64,
        "data_fingerprint": "d" * 64, "logits_sha256": "cross_entropy-0",
    }  # fmt: skip
    (experiment,) = content["experiments"]
    assert experiment["row"] == BUSI.model_dump()
    assert experiment["epochs"] == 7
    assert experiment["evaluated_by"]["revision"] == "c" * 40
    assert experiment["partners"]["dtd"]["runs"][0] == {
        "loss": "cross_entropy", "seed": 0, "logits_sha256": "p0"
    }  # fmt: skip
    assert "seconds" not in text
    assert str(project) not in text


def test_counts_of_single_classes_are_not_published(project):
    publish(["medical"], root=project)
    card = read_study(project / FOLDER / "medical").experiments[0].card
    assert card.cases == {"train": 1000, "test": 200}
    assert card.patients == CARD["patients"]
    assert "rare" not in (project / FOLDER / "medical/provenance.json").read_text()


def test_a_run_whose_processor_was_not_written_down_is_published_as_such(project):
    path = scores_folder(project, DIGITS) / "provenance.json"
    content = read_json(path)
    for run in content["runs"]:
        del run["processor"]
    write_json(content, path)
    publish(["quick"], root=project)
    runs = read_study(project / FOLDER / "quick").runs
    assert {run.processor for run in runs} == {"not recorded"}


def test_what_differs_from_run_to_run_is_written_run_by_run(project):
    path = scores_folder(project, DIGITS) / "provenance.json"
    content = read_json(path)
    content["runs"][1]["dirty"] = True
    write_json(content, path)
    publish(["quick"], root=project)
    assert "dirty" not in read_json(project / FOLDER / "quick/provenance.json")["every_run"]
    assert [run.dirty for run in read_study(project / FOLDER / "quick").runs] == [
        False, True, False, False, False, False
    ]  # fmt: skip


def test_code_that_was_not_clean_is_said_and_so_is_what_was_written(project):
    write_scores(project, BUSI, run={"dirty": True}, evaluated_dirty=True)
    lines = publish(["medical", "quick"], root=project)
    assert lines[:2] == [
        "medical: 10 of 10 runs made from uncommitted changes",
        "medical: 1 of 1 evaluations made from uncommitted changes",
    ]
    size = (project / FOLDER / "medical/scores.parquet").stat().st_size
    assert f"reports/evidence/medical/scores.parquet: {size / 1000:,.1f} kB" in lines
    assert [line.split(":")[0] for line in lines[-2:]] == [
        "reports/evidence/README.md",
        "reports/evidence/findings.md",
    ]
    assert not any("uncommitted" in line for line in publish(["quick"], root=project))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("runs.csv", r"busi-thin/runs.csv: no such file: `dvc repro evaluate@medical-busi-thin`"),
        ("operating_points.csv", r"operating_points.csv: no such file: `dvc repro evaluate@"),
        ("provenance.json", r"provenance.json: no such file: `dvc repro evaluate@medical-"),
        ("experiment.json", r"experiment.json: no such file: `dvc repro evaluate@medical-"),
    ],
)
def test_what_is_missing_is_named_with_its_command_and_nothing_is_written(project, name, message):
    publish(["quick"], root=project)
    before = contents(project)
    (scores_folder(project, BUSI) / name).unlink()
    with pytest.raises(InputError, match=message):
        publish(["quick", "medical"], root=project)
    assert contents(project) == before
    assert [path.name for path in (project / "reports").iterdir()] == ["evidence"]


def test_a_study_outside_the_plan_is_refused(project):
    message = r"no study 'shift'; it has: medical, quick. `python -m pipeline plan shift`"
    with pytest.raises(InputError, match=message):
        publish(["shift"], root=project)


@pytest.mark.parametrize("changes", [{"seeds": [0, 1]}, {"losses": ["gce", "cross_entropy", "x"]}])
def test_scores_of_other_runs_than_the_plan_s_are_refused(project, changes):
    write_scores(project, experiment_row("busi", **changes))
    message = (
        r"runs.csv: one row for each loss, calibrator and seed of the plan expected, got other"
    )
    with pytest.raises(InputError, match=message):
        publish(["medical"], root=project)


def test_operating_points_at_other_targets_than_the_plan_s_are_refused(project):
    path = scores_folder(project, BUSI) / "operating_points.csv"
    points(experiment_row("busi", risk_targets=[0.02, 0.1])).to_csv(path, index=False)
    message = (
        r"points.csv: one row for each loss, seed and target .*`dvc repro evaluate@medical-busi"
    )
    with pytest.raises(InputError, match=message):
        publish(["medical"], root=project)


def test_a_record_that_lacks_a_hash_is_refused(project):
    path = scores_folder(project, BUSI) / "provenance.json"
    content = read_json(path)
    del content["runs"][0]["config_hash"]
    write_json(content, path)
    with pytest.raises(InputError, match=r"provenance.json: missing key 'config_hash'"):
        publish(["medical"], root=project)


def test_a_fault_while_writing_leaves_what_was_there(project, monkeypatch):
    publish(["quick"], root=project)
    before = contents(project)

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(publishing, "findings_text", broken)
    with pytest.raises(OSError, match="disk full"):
        publish(["medical"], root=project)
    assert contents(project) == before
    assert [path.name for path in (project / "reports").iterdir()] == ["evidence"]


def test_a_published_study_that_is_broken_is_named_by_where_it_is(project):
    publish(["quick"], root=project)
    (project / FOLDER / "quick/summary.csv").unlink()
    publish(["medical"], root=project)
    (project / FOLDER / "quick/scores.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"reports/evidence/quick/scores.parquet: no Parquet"):
        publish(["medical"], root=project)


def test_findings_follow_from_the_evidence_alone(project):
    publish(["medical"], root=project)
    page = (project / FOLDER / "findings.md").read_text(encoding="utf-8")
    assert "| **supported**, 1 for, 0 against, of 1 | not run | not run |" in page
    shutil.rmtree(project / "data")
    (project / "configs/plan.yaml").unlink()
    (project / FOLDER / "findings.md").unlink()
    assert write_findings(project) == project / FOLDER / "findings.md"
    assert (project / FOLDER / "findings.md").read_text(encoding="utf-8") == page


def test_without_evidence_there_are_no_findings(project):
    with pytest.raises(InputError, match=r"reports/evidence: no published study: `python -m"):
        write_findings(project)
    assert not (project / "reports").exists()


def test_studies_planned_for_the_claims_come_first(project):
    publish(["quick", "medical"], root=project)
    assert [each.name for each in read_studies(project / FOLDER)] == ["medical", "quick"]
    first = read_studies(project / FOLDER, first=["shift", "quick"])
    assert [each.name for each in first] == ["quick", "medical"]


def command(monkeypatch, root, *arguments):
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["pipeline", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    return stopped.value.code


def test_the_command_prints_what_it_wrote_and_refuses_in_one_line(project, monkeypatch, capsys):
    assert command(monkeypatch, project, "publish", "quick") == 0
    assert "reports/evidence/quick/scores.parquet: " in capsys.readouterr().out
    assert command(monkeypatch, project, "findings") == 0
    assert capsys.readouterr().out == f"{project / FOLDER / 'findings.md'}\n"
    assert command(monkeypatch, project, "publish", "paper") == 2
    assert capsys.readouterr().err.startswith("error: configs/plan.yaml: no study 'paper'")


def test_the_simulated_plan_and_records_are_whole():
    assert list(plan_of(BUSI, DIGITS).experiments) == ["medical-busi-thin", "quick-digits-thin"]
    assert json.dumps(run_record("gce", 0))


def designed_project(root):
    """A cell of either study that a design asks for, and a study that none asks for."""
    cell = experiment_row("cifar", study="size", network="narrow")
    on_line = experiment_row("cifar", study="size_lines", network="narrow")
    write_project(root, cell, on_line, BUSI)
    (root / "configs/networks").mkdir()
    network = "kind: resnet10\narguments: {widths: [8, 16], stem: small}\n"
    (root / "configs/networks/narrow.yaml").write_text(network)
    claims = yaml.safe_load((root / CLAIMS).read_text())
    claims["designs"] = [DESIGN.model_dump()]
    claims["designs"][0]["factors"][2]["levels"] = [8, 32]
    claims["designs"][0]["factors"][3]["levels"] = [50, 1000]
    lines = claims["designs"][0]["lines"]
    lines["levels"]["batch size"] = [8, 32, 128]
    lines["centre"] |= {"batch size": 8, "images a class": 1000}
    (root / CLAIMS).write_text(yaml.safe_dump(claims))
    return root


def test_what_the_names_of_a_designed_study_stood_for_is_published_and_of_no_other(tmp_path):
    root = designed_project(tmp_path)
    publish(["size", "medical"], root=root)
    (cell,) = read_study(root / FOLDER / "size").experiments
    assert cell.settings.network.arguments["widths"] == [8, 16]
    assert (cell.settings.recipe.batch_size, cell.settings.recipe.optimiser.kind) == (8, "adam")
    # One class and 1,000 training images, by the simulated card.
    assert cell.settings.data.num_classes == 1
    assert cell.settings.data.train_cases_a_class == 1000
    assert "settings" not in (root / FOLDER / "medical/provenance.json").read_text()


def test_what_the_names_of_a_study_of_lines_stood_for_is_published_and_read(tmp_path):
    root = designed_project(tmp_path)
    publish(["size", "size_lines"], root=root)
    (cell,) = read_study(root / FOLDER / "size_lines").experiments
    assert cell.settings.network.arguments["widths"] == [8, 16]
    page = (root / FOLDER / "findings.md").read_text()
    assert "**Not run**: no experiment with width 8, optimiser sgd, batch size 8, " in page
