import hashlib
import json
import sys

import pytest

from pipeline import __main__ as command_line
from pipeline.monitoring import monitor
from pipeline.monitoring.decision_log import MODEL_REASONS, OTHER_REASONS
from tests.monitoring.watched_release import draw_log, write_labels, write_log, write_release


@pytest.fixture
def place(tmp_path):
    """A release, and a folder for logs of it."""
    write_release(tmp_path / "release")
    return tmp_path


def written(place, lines, labels):
    """Write a log and labels of the release there, and return the command's arguments."""
    digest = hashlib.sha256((place / "release" / "SHA256SUMS").read_bytes()).hexdigest()
    for line in lines:
        line["release"] = digest
    log = write_log(place / "decisions.jsonl", lines)
    table = write_labels(place / "labels.csv", lines, labels)
    return [str(place / "release"), str(log), "--labels", str(table)]


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["pipeline", "monitor", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    return stopped.value.code or 0


@pytest.mark.parametrize(
    ("drawn", "code", "verdict"),
    [
        ({"risk": 0.0}, 0, "supported by "),
        ({"risk": 0.0, "shift": 0.05}, 3, "supported by "),
        ({"risk": 0.2}, 4, "not supported: stop answering ("),
    ],
)
def test_a_nightly_job_learns_from_the_exit_code(monkeypatch, capsys, place, drawn, code, verdict):
    arguments = written(place, *draw_log(800, **drawn))
    assert run(monkeypatch, *arguments, "--out", place / "page") == code
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(verdict)
    told = json.loads((place / "page/monitor.json").read_text(encoding="utf-8"))
    assert told["exit_code"] == code
    assert said == [told["sentence"], *told["changes"], *told["warnings"]]
    assert sorted(path.name for path in (place / "page").iterdir()) == [
        "index.html",
        "monitor.json",
    ]


def test_the_same_log_gives_the_same_bytes(monkeypatch, capsys, place):
    arguments = written(place, *draw_log(300))
    run(monkeypatch, *arguments, "--out", place / "one")
    run(monkeypatch, *arguments, "--out", place / "two")
    for name in ("index.html", "monitor.json"):
        assert (place / "one" / name).read_bytes() == (place / "two" / name).read_bytes()


def test_a_fault_is_one_line_and_leaves_nothing_behind(monkeypatch, capsys, place):
    arguments = written(place, *draw_log(20))
    with (place / "labels.csv").open("a", encoding="utf-8") as table:
        table.write("somebody,else,benign\n")
    before = sorted(place.iterdir())
    assert run(monkeypatch, *arguments, "--out", place / "page") == 2
    error = capsys.readouterr().err
    assert error == (
        f"error: {place / 'labels.csv'}: row 21 below the header: a patient of the log expected\n"
    )
    assert sorted(place.iterdir()) == before


def test_another_releases_log_is_refused(monkeypatch, capsys, place):
    lines, labels = draw_log(5)
    arguments = written(place, lines, labels)
    write_log(place / "decisions.jsonl", [line | {"release": "f" * 64} for line in lines])
    assert run(monkeypatch, *arguments) == 2
    assert "line 1: the release named expected, got another's" in capsys.readouterr().err


def test_a_release_that_was_changed_is_refused(monkeypatch, capsys, place):
    arguments = written(place, *draw_log(5))
    with (place / "release/release.json").open("a", encoding="utf-8") as manifest:
        manifest.write(" ")
    assert run(monkeypatch, *arguments) == 2
    assert "release.json" in capsys.readouterr().err


def test_what_predict_and_the_node_write_is_what_the_monitor_reads(
    small_study, small_release, tmp_path
):
    from pipeline.predicting.decisions import REASONS, decision_line
    from pipeline.predicting.predictor import Predictor
    from pipeline.releasing import read_release

    released = read_release(small_release)
    files = sorted((small_study / "data/raw/phantom/images").rglob("*.dcm"))[:30]
    decisions = Predictor(released).decide(files)
    assert decisions
    assert set(REASONS) | {""} == {*MODEL_REASONS, *OTHER_REASONS}
    log = tmp_path / "decisions.jsonl"
    log.write_text("".join(map(decision_line, decisions)), encoding="utf-8")
    found = monitor(released, [log], labels=None, out=None)
    assert found.sentence == "too few to tell: no labelled answer"
