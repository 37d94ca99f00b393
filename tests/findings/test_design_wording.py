"""A designed experiment in words: on the first screen, and in its own section."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.claims import Claims
from pipeline.config.reading import read_config
from pipeline.findings import design_wording as made
from pipeline.findings import findings_page
from pipeline.findings.designed import DesignAnswer, answer_design
from tests.findings.designed_study import DESIGN, cells

CLAIMS = read_config(Path(__file__).parents[2] / "configs/claims.yaml", Claims)
STATED = CLAIMS.model_copy(update={"designs": [DESIGN]})
PLANTED = {(): 0.01, (2,): 0.02, (0, 1): -0.015}


def section(page):
    return page[page.index('<a id="size"></a>') : page.index("\n## Recommendation")]


@pytest.fixture(scope="module")
def every():
    return cells(PLANTED)


@pytest.fixture(scope="module")
def page(every):
    return findings_page(STATED, ["size"], [], every)


def test_the_first_screen_says_what_explains_the_difference_or_that_nothing_does(page):
    first = page[: page.index("## Verdicts")]
    assert "**[Why?](#size)** What explains generative cross-entropy (gce) less" in first
    (row,) = (each for each in first.splitlines() if each.startswith("| Balanced accuracy |"))
    assert row.startswith("| Balanced accuracy | **explained** by batch size (+2.")
    assert "width × optimiser (−1." in row
    assert row.endswith(" | **not run** |")
    clear = made.first_rows(answer_design(DESIGN, cells({(): 0.01}), 0.05), None)
    assert [len(each) for each in clear] == [2, 2]
    assert clear[0][1].startswith("**not explained** (mean +1.0")


def test_every_effect_and_every_cell_is_a_row(page):
    found = section(page)
    assert len(re.findall(r"^\| .+ \| (?:yes|no) \|$", found, flags=re.MULTILINE)) == 2 * 10
    assert len(re.findall(r"^\| (?:8|24) \| (?:sgd|adam) \|", found, flags=re.MULTILINE)) == 16
    widths = {line.count("|") for line in found.splitlines() if line.startswith(("| Wi", "| 8"))}
    assert widths == {6 + 1 + len(DESIGN.responses)}


def test_a_pair_is_read_at_either_level_of_its_second_factor():
    # Without noise to speak of: +0.02 for width alone, -0.01 for the pair.
    found = answer_design(DESIGN, cells({(0,): 0.02, (0, 1): -0.01}, noise=1e-6), 0.05)
    text = made.response_sentence(DESIGN, found.responses[0])
    assert (
        "From width 8 to 24 it changes by +3.00 points at optimiser sgd and "
        "+1.00 points at optimiser adam."
    ) in text


def test_what_is_not_published_is_not_run_and_nothing_is_averaged():
    page = findings_page(CLAIMS, ["quick"], [])
    found = section(page)
    assert "**Not run**: the study size is not published." in found
    assert "|" not in found


def test_a_missing_cell_leaves_no_number_in_the_section(every):
    found = section(findings_page(STATED, ["size"], [], every[1:]))
    assert "**Not run**: no experiment with width 8, optimiser sgd, batch size 32, " in found
    assert "points" not in found


def test_what_is_missing_beyond_three_is_counted():
    found = DesignAnswer(DESIGN, tuple("abcde"))
    assert made.missing_sentence(found).startswith("**Not run**: a; b; c; and 2 more. ")


def test_seeds_that_agree_to_the_last_digit_have_no_interval_and_explain_nothing():
    same = [replace(each, tables={"runs": _without_noise(each)}) for each in cells()]
    found = answer_design(DESIGN, same, 0.05).responses[0]
    assert made.response_sentence(DESIGN, found).startswith("**Not explained**. Over all cells the")
    assert made.interval_cell("ece", found.tested[0].effect.interval) == "–"


def _without_noise(evidence):
    runs = evidence.tables["runs"]
    return runs.assign(**dict.fromkeys(("balanced_accuracy", "nll"), 0.5))


def test_a_design_s_study_is_no_study_apart_and_answers_no_claim(page):
    assert "Published, but not planned to answer the claims" not in page
    assert "None of the planned studies." in page
