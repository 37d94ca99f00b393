import csv
import os
import re
import stat

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.predicting.decisions import read_decisions
from pipeline.predicting.writing import predict
from tests.dicom_files import uid, write_image
from tests.made_releases import SHA256, make_release, without_threshold
from tests.predicting.releases import make_predictor
from tests.sources import write_zip

SECRETS = ("Doe", "SECRET", "1.2.826", "ACC")


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for number in range(6):
        pixels = random.integers(0, 256, (12, 10), np.uint8)
        write_image(
            tmp_path / f"in/Doe_{number}.dcm", pixels, name=f"{number}",
            PatientID=f"SECRET-{number // 2}", StudyInstanceUID=uid("study", number // 2),
            AccessionNumber=f"ACC{number}",
        )  # fmt: skip
    damaged = tmp_path / "in/Doe_5.dcm"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    return tmp_path / "in"


@pytest.fixture
def out(folder):
    return folder.parent / "out"


def run(folder, out, release=None, **options):
    return predict(make_predictor(folder, release), [folder], out, **options)


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_line_says_how_many_were_answered_and_why_others_were_not(folder, out):
    assert run(folder, out) == "answered 2, referred 1: 1 unreadable"
    assert [each.outcome for each in read_decisions(out / "decisions.jsonl")].count("answered") == 2


def test_nothing_that_is_written_names_anybody(folder, out):
    run(folder, out)
    names = sorted(path.name for path in out.iterdir())
    assert names == ["decisions.csv", "decisions.jsonl", "files.csv", "images.csv", "index.html"]
    for path in out.iterdir():
        assert not any(secret in path.read_text() for secret in SECRETS)


def test_who_is_who_is_told_where_asked_in_one_file_that_its_owner_alone_reads(folder, out):
    run(folder, out, identified=True)
    path = out / "identified.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = table(path)
    assert [row["file"] for row in rows] == [f"in/Doe_{number}.dcm" for number in range(6)]
    assert [row["PatientID"] for row in rows] == [f"SECRET-{number // 2}" for number in range(6)]
    by_hash = {row["patient"]: row["PatientID"] for row in rows}
    decisions = read_decisions(out / "decisions.jsonl")
    assert {by_hash[each.patient] for each in decisions} == {"SECRET-0", "SECRET-1", "SECRET-2"}
    others = [each for each in out.iterdir() if each != path]
    assert not any(secret in each.read_text() for each in others for secret in SECRETS)


def test_a_pipe_among_the_files_is_not_waited_for_where_headers_are_asked(folder, out):
    os.mkfifo(folder / "pipe")
    assert run(folder, out, identified=True, reports=True).endswith(
        "referred 2: 2 unreadable; 1 without a report"
    )
    assert table(out / "identified.csv")[-1]["PatientID"] == ""


@pytest.mark.parametrize("sop_class", ["1.2.3.4", "1.2.840.10008.5.1.4.1.1.6"])
def test_an_image_of_a_makers_own_or_a_retired_class_has_no_report_and_the_others_do(
    folder, out, sop_class
):
    pixels = np.zeros((12, 10), np.uint8)
    write_image(folder / "own.dcm", pixels, name="own", SOPClassUID=sop_class)
    assert run(folder, out, reports=True).endswith("; 1 without a report")
    assert len(list((out / "reports").iterdir())) == 3


def test_every_file_has_one_row_with_its_decision_or_what_it_is(folder, out):
    (folder / "notes.txt").write_text("none")
    run(folder, out)
    rows = table(out / "files.csv")
    assert len(rows) == len(list(folder.iterdir())) == 7
    decided = {(each.patient, each.study) for each in read_decisions(out / "decisions.jsonl")}
    assert {(row["patient"], row["study"]) for row in rows} - {("", "")} == decided
    fates = sorted(row["fate"] for row in rows)
    assert fates == ["no DICOM file", "pixel data cannot be decoded", *["read"] * 5]


def test_every_image_has_a_row_with_its_own_probabilities(folder, out):
    run(folder, out)
    rows = table(out / "images.csv")
    assert len(rows) == 5
    for row in rows:
        shares = [float(value) for name, value in row.items() if name.startswith("probability_")]
        assert sum(shares) == pytest.approx(1)
        assert max(shares) == float(row["confidence"])


def test_archives_are_decided_upon_and_leave_nothing_behind(folder, out):
    members = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_zip(folder.parent / "all.zip", members)
    predictor = make_predictor(folder)
    assert predict(predictor, [folder.parent / "all.zip"], out) == (
        "answered 2, referred 1: 1 unreadable"
    )
    assert sorted(path.name for path in folder.parent.iterdir()) == ["all.zip", "in", "out"]


def test_the_page_has_headline_guarantee_release_and_loads_nothing(folder, out):
    run(folder, out)
    page = (out / "index.html").read_text()
    assert "<h1>Answered 2, referred 1: 1 unreadable</h1>" in page
    assert "At most 10% of the answers are wrong, with 95% confidence." in page
    assert "scope and limits refer some of them" in page
    assert f"release {SHA256}" in page
    assert page.count("<tr>") == 1 + 3
    assert not re.search(r"(src|href)=\"(?!data:|#|decisions\.|images\.csv|files\.csv)", page)
    assert "@import" not in page
    assert "url(" not in page


def test_a_page_of_answers_without_a_guarantee_says_so(folder, out):
    release = without_threshold(rule__unproven_threshold=0.34)
    predictor = make_predictor(folder, release, without_guarantee=True)
    assert predict(predictor, [folder], out).startswith("answered 2")
    assert "Answers are given without a guarantee." in (out / "index.html").read_text()


def test_what_a_class_is_called_does_not_reach_the_page_as_markup(folder, out):
    names = ["<b>none</b>", "=1+1", "x\x1b[31m\x00"]
    codes = {
        name: {"scheme": "99CALIMG", "value": f"C{number}", "meaning": "m"}
        for number, name in enumerate(names)
    }
    prevalence = dict.fromkeys(names, 1 / 3)
    release = make_release(
        classes=names,
        critical_classes=[],
        codes=codes,
        reference__prevalence=prevalence,
        rule__guarantee="none\x1b\x00",
    )
    run(folder, out, release)
    page = (out / "index.html").read_text()
    assert "<b>none" not in page
    assert not {"\x00", "\x1b"} & set(page)
    assert "\n=1" not in (out / "decisions.csv").read_text()


def test_nothing_is_written_where_nothing_can_be_decided(folder, out):
    with pytest.raises(InputError, match="no image to decide upon"):
        run(folder, out, make_release(preprocessing__reader="picture"))
    with pytest.raises(InputError, match="nothing: no such file or folder"):
        predict(make_predictor(folder), [folder / "nothing"], out)
    assert [path.name for path in folder.parent.iterdir()] == ["in"]


def test_a_folder_that_holds_something_is_left_as_it_is(folder, out):
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something already: name a new folder"):
        run(folder, out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_a_report_of_the_project_around_is_not_replaced_by_decisions(folder, tmp_path):
    """Below `reports` of a project its stages replace what they wrote; a user's slip does not."""
    report = tmp_path / "project/reports/quick"
    report.mkdir(parents=True)
    (tmp_path / "project/configs").mkdir()
    (report / "index.html").write_text("the report")
    with pytest.raises(InputError, match="quick holds something already: name a new folder"):
        run(folder, report)
    assert (report / "index.html").read_text() == "the report"
