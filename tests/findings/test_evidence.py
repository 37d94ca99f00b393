from pathlib import Path

import pytest

from pipeline.artifacts import read_json, write_json
from pipeline.errors import InputError
from pipeline.findings import publish, read_evidence, read_studies
from pipeline.findings.evidence import FOLDER, read_study
from tests.findings.simulated_evidence import experiment_row
from tests.findings.simulated_study import partner_tables, write_project

ROOT = Path(__file__).parents[2]
BUSI, BCCD = experiment_row("busi"), experiment_row("bccd")
SHIFTED = experiment_row("busi", study="shift")
DIGITS = experiment_row("digits", study="quick")


@pytest.fixture
def folder(tmp_path):
    write_project(tmp_path, DIGITS, BUSI, BCCD)
    write_project(tmp_path, SHIFTED, tables=partner_tables(SHIFTED))
    write_project(tmp_path, DIGITS, BUSI, BCCD, SHIFTED, tables=partner_tables(SHIFTED))
    publish(["quick", "medical", "shift"], root=tmp_path)
    return tmp_path / FOLDER


def test_only_the_studies_asked_for_are_read_in_the_order_asked_for(folder):
    found = read_evidence(folder, ["shift", "longtail", "medical"])
    assert [each.name for each in found] == ["shift/busi-thin", "medical/busi-thin",
                                             "medical/bccd-thin"]  # fmt: skip
    assert (found[1].row, found[1].epochs) == (BUSI, 7)


def test_words_stay_words_and_severities_numbers(folder):
    (found,) = read_evidence(folder, ["shift"])
    shift = found.tables["shift"]
    assert shift["severity"].isin([2]).sum() == len(shift) / 3
    assert set(shift["corruption"].dropna()) == {"blur"}
    assert shift["corruption"].isna().sum() == len(shift) / 3


def test_a_folder_without_any_study_says_how_one_is_published(tmp_path):
    with pytest.raises(InputError, match=r"no published study: `python -m pipeline publish STUDY"):
        read_studies(tmp_path)
    assert read_evidence(tmp_path, ["medical"]) == []


@pytest.mark.parametrize("name", ["scores.parquet", "operating_points.csv"])
def test_a_file_that_is_gone_is_named(folder, name):
    (folder / "medical" / name).unlink()
    with pytest.raises(InputError, match=f"medical/{name}: no such file"):
        read_evidence(folder, ["medical"])


def test_a_record_that_was_broken_is_named_with_its_key(folder):
    path = folder / "medical/provenance.json"
    content = read_json(path)
    write_json(content | {"published": "today"}, path)
    with pytest.raises(InputError, match=r"medical/provenance.json: unknown key 'published'"):
        read_study(folder / "medical")
    write_json(content | {"study": "shift"}, path)
    with pytest.raises(InputError, match=r"study 'medical' expected, got 'shift'"):
        read_study(folder / "medical")
    path.write_text("{")
    with pytest.raises(InputError, match=r"medical/provenance.json: no JSON any more"):
        read_study(folder / "medical")


def test_an_experiment_without_rows_is_an_error_and_not_a_silence(folder):
    path = folder / "medical/provenance.json"
    content = read_json(path)
    content["experiments"][0]["row"]["experiment"] = "other"
    write_json(content, path)
    with pytest.raises(InputError, match=r"scores.parquet, other: table runs: at least one row"):
        read_study(folder / "medical")


def test_what_is_published_here_is_small():
    paths = [path for path in (ROOT / FOLDER).rglob("*") if path.is_file()]
    assert paths, "reports/evidence: nothing published: run `python -m pipeline publish STUDY...`"
    studies = {path.parent for path in paths} - {ROOT / FOLDER}
    assert len(paths) <= 2 + 4 * len(studies)
    assert sum(path.stat().st_size for path in paths) < 4_000_000
