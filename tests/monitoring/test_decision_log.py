import json

import pytest

from pipeline.errors import InputError
from pipeline.monitoring.decision_log import read_decisions
from pipeline.monitoring.patients import decided_by_model
from tests.monitoring.watched_release import CLASSES, SHA256, decision, write_log

NAME = "Anna Meyer"
"""Stands for what must not be repeated in a message."""


def read(*paths):
    return read_decisions(paths, release=SHA256, classes=CLASSES)


def at(minute, **changes):
    return decision(decided_at=f"2026-01-01T00:{minute:02}:00Z", **changes)


def refused(tmp_path, *lines):
    """Return what is said of a log."""
    path = tmp_path / "decisions.jsonl"
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read(path)
    message = str(refusal.value)
    assert NAME not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def test_logs_are_merged_in_the_order_of_time_and_each_study_is_taken_once(tmp_path):
    first = write_log(tmp_path / "a", [at(1, patient="p1"), at(5, patient="p5")])
    second = write_log(tmp_path / "b", [at(1, patient="p1"), at(3, patient="p3")])
    log = read(first, second)
    assert log["patient"].tolist() == ["p1", "p3", "p5"]
    assert log["decided_at"].tolist()[0] == "2026-01-01T00:01:00"
    assert log["probability_malignant"].tolist() == pytest.approx([0.1] * 3)
    assert read(second, first)["patient"].tolist() == ["p1", "p3", "p5"]


def test_a_study_that_could_not_be_read_has_no_class_and_no_confidence(tmp_path):
    bare = at(
        0, outcome="referred", reason="unreadable", predicted="", confidence=None,
        probabilities={}, threshold=None, num_images=0,
    )  # fmt: skip
    log = read(write_log(tmp_path / "log", [bare, at(1, patient="p1", confidence=1)]))
    assert log["confidence"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"release": "cd" * 32}, "the release named expected, got another's"),
        ({"probabilities": {"benign": 0.9, "malignant": 0.9}}, "probabilities that sum to 1"),
        ({"confidence": 0.7}, "a referral expected where confidence is below the threshold, got"),
        ({"predicted": NAME}, "a class of the release expected"),
        ({"predicted": ""}, "a class, its confidence and the probability of each class expected"),
        ({"confidence": None, "probabilities": {}}, "a class, its confidence and"),
        ({"probabilities": {"benign": 1.0}}, "a class, its confidence and the probability of each"),
        ({"probabilities": {NAME: 1.0}}, "probabilities of the release's classes expected"),
        ({"probabilities": {"benign": 1.5, "malignant": 0.0}}, "key 'probabilities': Input should"),
        ({"confidence": 1.5}, "key 'confidence': Input should be less than or equal to 1"),
        ({"confidence": NAME}, "key 'confidence': Input should be a valid number"),
        ({"outcome": NAME}, "key 'outcome': Input should be 'answered' or 'referred'"),
        ({"reason": NAME}, "key 'reason': Input should be"),
        ({"reason": "not confident"}, "a reason expected for each referral, and for no answer"),
        ({"outcome": "referred"}, "a reason expected for each referral, and for no answer"),
        ({"patient": ""}, "key 'patient': String should have at least 1 character"),
        ({"decided_at": "2026-01-01 00:01"}, "key 'decided_at': String should match pattern"),
        ({"decided_at": "2026-01-01T00:01:00+02:00"}, "key 'decided_at': String should match"),
        ({"decided_at": "2026-13-01T00:01:00Z"}, "a time expected that a clock can show"),
        ({NAME: 1}, "an unknown key"),
        ({"site": None}, "key 'site': Input should be a valid string"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_believed_is_named_and_not_quoted(tmp_path, changes, fault):
    said = refused(tmp_path, at(0, patient="p1"), at(1) | changes)
    assert said.startswith(f"line 2: {fault}"), said


def test_a_line_without_a_key_is_named(tmp_path):
    line = at(1)
    del line["site"]
    assert refused(tmp_path, line) == "line 1: key 'site': Field required"


def test_a_line_that_was_cut_short_is_named(tmp_path):
    cut = json.dumps(at(1, detail=NAME))[:-20]
    assert refused(tmp_path, at(0, patient="p1"), cut + "\n") == (
        "line 2: a decision as JSON expected, got none or a part of one"
    )


@pytest.mark.parametrize("missing", [1, 20, 200])
def test_a_line_that_is_being_written_is_left_out(tmp_path, missing):
    log = write_log(tmp_path / "log", [at(0, patient="p1")])
    with log.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(at(1))[:-missing])
    assert read(log)["patient"].tolist() == ["p1"]


def test_a_whole_line_counts_without_its_end(tmp_path):
    log = tmp_path / "log"
    log.write_text("\n".join(json.dumps(at(i, patient=f"p{i}")) for i in (0, 1)), encoding="utf-8")
    assert read(log)["patient"].tolist() == ["p0", "p1"]


def test_the_order_of_lines_counts_where_a_clock_was_set_back(tmp_path):
    hours = [at(30, patient="p1"), at(10, patient="p0"), at(40, patient="p3")]
    other = write_log(tmp_path / "other", [at(20, patient="p2")])
    log = read(write_log(tmp_path / "log", hours), other)
    assert log["patient"].tolist() == ["p2", "p1", "p0", "p3"]
    assert log["decided_at"].tolist()[2] == "2026-01-01T00:10:00"


@pytest.mark.parametrize("content", ["", "\n"])
def test_a_log_without_a_decision_is_refused(tmp_path, content):
    assert "expected" in refused(tmp_path, content)


def test_a_log_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.jsonl: cannot be read: No such file"):
        read(tmp_path / "nothing.jsonl")


def test_two_decisions_on_one_study_that_contradict_are_refused(tmp_path):
    logs = [
        write_log(tmp_path / name, [at(0, predicted=predicted)])
        for name, predicted in {"a": "benign", "b": "malignant"}.items()
    ]
    with pytest.raises(InputError, match="got two that contradict, at 2026-01-01T00:00:00"):
        read(*logs)


def test_a_study_that_grew_counts_by_its_last_decision(tmp_path):
    again = at(2, predicted="malignant", num_images=2)
    log = read(write_log(tmp_path / "log", [at(0), at(1, patient="p1"), again]))
    assert log["patient"].tolist() == ["p1", "p0"]
    assert log["predicted"].tolist() == ["benign", "malignant"]


def test_what_is_no_image_of_the_releases_kind_may_be_out_of_scope_without_a_class(tmp_path):
    bare = {"predicted": "", "confidence": None, "probabilities": {}}
    line = at(0, outcome="referred", reason="out of scope", **bare)
    log = read(write_log(tmp_path / "log", [line, at(1, patient="p1")]))
    assert len(log) == 2
    assert len(decided_by_model(log)) == 1
