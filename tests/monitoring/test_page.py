import re

import pytest

from pipeline.monitoring.decision_log import read_decisions
from pipeline.monitoring.page import page
from pipeline.monitoring.record import record
from pipeline.monitoring.verdict import verdict
from pipeline.monitoring.watching import watch
from tests.monitoring.watched_release import CLASSES, SHA256, draw_log, release, write_log

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def shown(tmp_path):
    """Return the page and the record of what some lines and their labels say."""

    def shown(lines, labels, **changes):
        log = read_decisions([write_log(tmp_path / "log", lines)], release=SHA256, classes=CLASSES)
        keys = log[["patient", "study"]].head(len(labels))
        seen = watch(release(**changes), log, keys.assign(label=labels))
        found = verdict(seen)
        return page(seen, found, sha256=SHA256), record(seen, found, sha256=SHA256)

    return shown


def test_the_page_stands_alone_and_says_what_the_terminal_says(shown):
    text, told = shown(*draw_log(300))
    assert told["sentence"] in text
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", text)
    assert text.count("<svg") == 3
    for drawn in ("Wrong answers so far", "Evidence of more errors", "Evidence of change"):
        assert drawn in text


def test_without_a_label_the_page_shows_what_needs_none(shown):
    text, told = shown(draw_log(300)[0], [])
    assert text.count("<svg") == 1
    assert told["labels"]["risk"] is None


def test_names_are_text_whatever_they_hold(shown):
    text, _ = shown(*draw_log(200, sites=(HOSTILE, "south")), name=HOSTILE)
    assert HOSTILE not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;: monitor" in text


def test_of_a_group_of_few_patients_no_number_is_told(shown):
    lines, labels = draw_log(400)
    for line in lines[:6]:
        line["site"] = "harbour"
    text, told = shown(lines, labels)
    groups = {group["name"]: group for group in told["groups"] if group["column"] == "site"}
    # The next smallest is masked as well, from which it could be worked out.
    assert set(groups["harbour"]) == {"column", "name", "visibility"}
    assert sum(group["visibility"] == "masked" for group in groups.values()) == 2
    row = re.search(r"site: harbour</th>(.*?)</tr>", text)[1]
    assert set(re.findall(r">([^<]+)<", row)) == {"–*"}


def test_no_patient_is_named_on_the_page_or_in_the_record(shown):
    lines, labels = draw_log(200)
    text, told = shown(lines, labels)
    for line in lines:
        assert line["patient"] not in text + str(told)
        assert line["study"] not in text + str(told)
