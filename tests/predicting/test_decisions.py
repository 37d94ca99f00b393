import csv
import json
from dataclasses import replace

import pytest

from pipeline.errors import InputError
from pipeline.predicting.decisions import (
    Decision,
    decision_line,
    read_decisions,
    write_decisions,
)

ANSWER = Decision(
    patient="a1",
    study="b2",
    outcome="answered",
    reason="",
    detail="Sure.",
    predicted="ill",
    probabilities={"healthy": 0.1, "ill": 0.9},
    confidence=0.9,
    threshold=0.8,
    site="north",
    num_images=2,
    decided_at="2026-01-01T00:00:00+00:00",
    release="c" * 64,
)
REFERRAL = replace(
    ANSWER,
    outcome="referred",
    reason="unreadable",
    predicted="",
    probabilities={},
    confidence=None,
    num_images=0,
)


def test_decisions_are_read_back_as_they_were_written(tmp_path):
    write_decisions([ANSWER, REFERRAL], tmp_path)
    assert read_decisions(tmp_path / "decisions.jsonl") == [ANSWER, REFERRAL]


def test_logs_that_are_put_end_to_end_are_one_log(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(decision_line(ANSWER) + decision_line(REFERRAL) + decision_line(ANSWER))
    assert len(read_decisions(path)) == 3


def test_a_spreadsheet_has_a_column_a_class_and_an_empty_cell_for_what_is_not_known(tmp_path):
    write_decisions([ANSWER, REFERRAL], tmp_path)
    with (tmp_path / "decisions.csv").open(newline="") as file:
        answer, referral = csv.DictReader(file)
    assert (answer["probability_ill"], answer["confidence"]) == ("0.9", "0.9")
    assert (referral["probability_ill"], referral["confidence"]) == ("", "")
    assert list(answer) == [
        "patient", "study", "outcome", "reason", "detail", "predicted", "probability_healthy",
        "probability_ill", "confidence", "threshold", "site", "num_images", "decided_at", "release",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "reason"), [("answered", "unreadable"), ("referred", ""), ("referred", "tired")]
)
def test_refuses_a_referral_without_a_known_reason_and_an_answer_with_one(outcome, reason):
    with pytest.raises(InputError, match=f"expected, got '{outcome}' and '{reason}'"):
        replace(ANSWER, outcome=outcome, reason=reason)


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"patient": "a"}', json.dumps({"reason": "x"}), "9" * 5000]
)
def test_refuses_a_line_that_is_no_decision_and_names_it(tmp_path, line):
    path = tmp_path / "log.jsonl"
    path.write_text(decision_line(ANSWER) + line)
    with pytest.raises(InputError, match=r"log\.jsonl, line 2: a decision"):
        read_decisions(path)
