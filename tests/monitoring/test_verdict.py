import pandas as pd
import pytest

from pipeline.monitoring.decision_log import read_decisions
from pipeline.monitoring.label_file import read_labels
from pipeline.monitoring.verdict import verdict
from pipeline.monitoring.watching import watch
from tests.monitoring.watched_release import (
    CLASSES,
    SHA256,
    draw_log,
    release,
    write_labels,
    write_log,
)


@pytest.fixture
def judged(tmp_path):
    """Return the verdict on a log and its labels."""

    def judged(lines, labels=None, **changes):
        path = write_log(tmp_path / "log", lines)
        log = read_decisions([path], release=SHA256, classes=CLASSES)
        if labels is not None:
            table = write_labels(tmp_path / "labels.csv", lines, labels)
            labels = read_labels(table, log, CLASSES)
        return verdict(watch(release(**changes), log, labels))

    return judged


def answered(num):
    """Return the lines of some answers."""
    lines, _ = draw_log(2 * num)
    return [line for line in lines if line["outcome"] == "answered"][:num]


def some_wrong(lines, every):
    """Return labels of which every so-manyth contradicts the answer."""
    return [
        CLASSES[(CLASSES.index(line["predicted"]) + (number % every == 0)) % 2]
        for number, line in enumerate(lines, start=1)
    ]


def test_enough_good_answers_support_the_guarantee(judged):
    lines = answered(400)
    found = judged(lines, some_wrong(lines, 100))
    assert (found.kind, found.exit_code) == ("supported", 0)
    assert found.sentence == (
        "supported by 400 labelled answers (4 wrong, 95% confidence sequence 0.1–3.3%, target 5%)"
    )


def test_too_many_wrong_answers_stop_it(judged):
    lines = answered(200)
    found = judged(lines, some_wrong(lines, 5))
    assert (found.kind, found.exit_code) == ("not supported", 4)
    assert found.sentence.startswith(
        "not supported: stop answering (200 labelled answers, 40 wrong, "
    )


def test_few_answers_tell_nothing(judged):
    lines = answered(30)
    found = judged(lines, [line["predicted"] for line in lines])
    assert (found.kind, found.exit_code) == ("too few", 0)
    assert found.sentence.startswith("too few to tell: 30 labelled answers (0 wrong, ")
    bare = judged(lines)
    assert bare.sentence == "too few to tell: no labelled answer"


def test_an_alarm_stays_whatever_comes_after(judged):
    lines = answered(1_200)
    labels = some_wrong(lines[:100], 4) + [line["predicted"] for line in lines[100:]]
    found = judged(lines, labels)
    assert found.kind == "not supported"


def test_a_change_alone_is_no_verdict_on_the_guarantee(judged):
    found = judged(draw_log(1_000, shift=0.05)[0])
    assert (found.kind, found.exit_code) == ("too few", 3)
    assert all(line.startswith("evidence of change: ") for line in found.changes)
    assert len(found.changes) == 2


def worse_in_the_north():
    lines = answered(900)
    labels = [
        CLASSES[(CLASSES.index(line["predicted"]) + (line["site"] == "north" and at % 6 == 0)) % 2]
        for at, line in enumerate(lines)
    ]
    return lines, labels


def test_a_worse_site_is_a_finding_unless_the_release_says_so_itself(judged):
    lines, labels = worse_in_the_north()
    told = [line for line in judged(lines, labels).changes if "site" in line]
    assert len(told) == 1
    assert told[0].startswith("evidence of more errors than the target: site north (after ")
    known = {"column": "site", "group": "north", "risk": 0.2, "others": 0.02}
    limits = {
        "sites": ["north", "south"], "sexes": None, "age_bands": None, "at_least": 10,
        "excess_risk": [known],
    }  # fmt: skip
    assert not any("site" in line for line in judged(lines, labels, limits=limits).changes)


def test_chosen_labels_are_warned_of(tmp_path):
    lines = answered(800)
    doubted = [line for line in lines if line["confidence"] < 0.9]
    path = write_log(tmp_path / "log", lines)
    log = read_decisions([path], release=SHA256, classes=CLASSES)
    right = [line["predicted"] for line in doubted]
    labels = read_labels(write_labels(tmp_path / "labels.csv", doubted, right), log, CLASSES)
    (warning,) = verdict(watch(release(), log, labels)).warnings
    share = 100 * len(doubted) / 800
    assert warning.startswith(f"the {share:.0f}% of the answers that have a label are not as conf")


@pytest.mark.parametrize(("minutes", "warned"), [(1, False), (90, True)])
def test_a_clock_that_was_set_back_by_more_than_a_minute_is_warned_of(tmp_path, minutes, warned):
    lines = answered(3)
    first = pd.Timestamp(lines[0]["decided_at"])
    lines[1]["decided_at"] = (first - pd.Timedelta(minutes=minutes)).isoformat()
    log = read_decisions([write_log(tmp_path / "log", lines)], release=SHA256, classes=CLASSES)
    told = verdict(watch(release(), log, None)).warnings
    expected = ("the clock was set back by up to 0 days 01:30:00 while decisions were written: the "
                "order of the log's lines is taken for that of time")  # fmt: skip
    assert told == ((expected,) if warned else ())
