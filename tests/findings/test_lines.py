"""A design's factors one at a time, over more than two levels."""

import re
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.findings import design_wording as made
from pipeline.findings.designed import DesignAnswer
from pipeline.findings.lines import answer_lines
from pipeline.findings.page import findings_page
from tests.findings.designed_study import DESIGN, SEEDS, cells, line_cells
from tests.findings.test_design_wording import STATED, section
from tests.findings.test_designed import without_seed

LEVEL = 0.05


def explaining(found):
    """Names of the effects that explain each response."""
    return [[made.line_effect_name(found.lines, each) for each in one.explaining]
            for one in found.responses]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "factor", "name"),
    [
        ("change", "width", "width, 8 to 64"),
        ("change", "images a class", "images a class, 50 to 1,000"),
        ("bend", "batch size", "bend of batch size"),
        ("pair", "width", "width × optimiser"),
    ],
)
def test_a_planted_effect_is_recovered_and_no_other_explains(kind, factor, name):
    found = answer_lines(DESIGN, line_cells({(kind, factor): 0.03}), LEVEL)
    assert found.missing == ()
    assert explaining(found) == [[name]] * 2
    for one in found.responses:
        assert len(one.tested) == 9
        (effect,) = one.explaining
        assert effect.found.estimate == pytest.approx(0.03, abs=0.008)
        assert effect.found.interval.lower < 0.03 < effect.found.interval.upper


def test_every_line_is_told_level_by_level():
    found = answer_lines(DESIGN, line_cells({("change", "width"): 0.03}, noise=1e-9), LEVEL)
    lines = found.responses[0].lines
    assert [(each.factor, each.apart) for each in lines] == [
        (name, apart)
        for name in ("width", "batch size", "images a class")
        for apart in ("sgd", "adam")
    ]
    for each in lines[:2]:
        assert each.levels == (8, 16, 32, 64)
        assert [point.mean for point in each.points] == pytest.approx(
            [0.0, 0.01, 0.02, 0.03], abs=1e-6
        )
        assert {point.num_seeds for point in each.points} == {len(SEEDS)}
    # Over unique cells: four of the lines' ends under either optimiser, and the four widths.
    sizes = 2 * (0.0 + 0.01 + 0.02 + 0.03 + 4 * 0.01)
    assert found.responses[0].mean_size == pytest.approx(sizes / 16, abs=1e-6)


def test_an_effect_that_is_real_and_small_beside_the_difference_does_not_explain_it():
    every = line_cells({("change", "width"): 0.5, ("pair", "batch size"): 0.03}, noise=0.002)
    (*_, pair) = (each for each in answer_lines(DESIGN, every, LEVEL).responses[0].tested
                  if each.kind == "pair" and each.factor == "batch size")  # fmt: skip
    assert pair.p_value_holm < 0.001
    assert not pair.explains


def test_without_an_effect_95_percent_of_studies_are_not_explained():
    found = [answer_lines(DESIGN, line_cells(seed=seed), LEVEL) for seed in range(50)]
    clear = [not names for each in found for names in explaining(each)]
    # Holm keeps 95 % of 100 tables or more; 88 % is three standard errors below.
    assert np.mean(clear) >= 0.88


def test_effects_are_corrected_together():
    (one, _) = answer_lines(DESIGN, line_cells(), LEVEL).responses
    p_values = sorted(each.found.p_value for each in one.tested)
    least = min(one.tested, key=lambda each: each.found.p_value)
    assert least.p_value_holm == pytest.approx(min(1.0, 9 * p_values[0]))
    assert least.detectable == least.found.detectable(LEVEL / 9)


@pytest.mark.parametrize("place", [0, 3, 8, 15])
def test_a_missing_cell_is_not_run_and_named(place):
    every = line_cells()
    del every[place]
    found = answer_lines(DESIGN, every, LEVEL)
    assert found.responses == ()
    (missing,) = found.missing
    assert missing.startswith("no experiment with width ")


@pytest.mark.parametrize("place", [0, 3, 8, 15])
def test_a_cell_that_lacks_a_seed_is_not_run(place):
    every = line_cells()
    every[place] = without_seed(every[place], 1)
    found = answer_lines(DESIGN, every, LEVEL)
    assert found.responses == ()
    name = every[place].name
    assert f"{name}, balanced accuracy: 2 of 3 seeds with both" in found.missing


def test_a_level_that_the_lines_do_not_name_is_refused_and_so_is_a_cell_on_no_line():
    every = line_cells()
    data = every[0].settings.data
    for images, fault in ((400.0, r"images a class 50 or 200 or 1,000 expected, got 400"),
                          (50.0, "size_lines/8-sgd-128-200 is on none of its lines")):  # fmt: skip
        moved = data.model_copy(update={"train_cases_a_class": images})
        strange = replace(every[0], settings=every[0].settings.model_copy(update={"data": moved}))
        with pytest.raises(InputError, match=fault):
            answer_lines(DESIGN, [strange, *every[1:]], LEVEL)


def test_evidence_without_settings_names_the_study_to_publish():
    every = [replace(each, settings=None) for each in line_cells()]
    with pytest.raises(InputError, match="`python -m pipeline publish size_lines` writes them"):
        answer_lines(DESIGN, every, LEVEL)


def test_seeds_that_agree_to_the_last_digit_have_no_interval_and_explain_nothing():
    every = line_cells({("change", "width"): 0.03}, noise=0.0)
    for each in every:
        runs = each.tables["runs"]
        # The luck of a seed is taken out, which leaves rounding.
        for column in ("balanced_accuracy", "nll"):
            base = runs.groupby(["calibrator", "seed"])[column].transform("first")
            runs[column] = (runs[column] - base).round(6)
    found = answer_lines(DESIGN, every, LEVEL)
    assert explaining(found) == [[], []]
    page = findings_page(STATED, ["size_lines"], [], every)
    assert "| width, 8 to 64 | +3.00 | – | – | – | – | no |" in page
    assert "nan" not in section(page)


def test_a_design_without_lines_has_no_answer_and_no_paragraph():
    design = DESIGN.model_copy(update={"lines": None})
    assert answer_lines(design, line_cells(), LEVEL) is None
    page = findings_page(STATED.model_copy(update={"designs": [design]}), ["size"], [], cells())
    assert "Over wider ranges" not in page
    assert "One factor at a time" not in page
    assert "| Difference in | Two levels of each factor, crossed |\n|---|---|\n" in page


def test_lines_without_the_factorial_are_answered_alone_and_the_other_way_round():
    page = findings_page(STATED, ["size_lines"], [], line_cells())
    assert "**Not run**: the study size is not published." in section(page)
    assert len(re.findall(r"\| (?:yes|no) \|$", section(page), flags=re.MULTILINE)) == 2 * 9
    page = findings_page(STATED, ["size"], [], cells())
    assert "**Not run**: the study size_lines is not published." in section(page)


def test_the_page_says_every_level_and_the_first_screen_what_explains():
    every = [*cells(), *line_cells({("change", "width"): 0.03}, noise=1e-6)]
    page = findings_page(STATED, ["size", "size_lines"], [], every)
    assert "through a centre of width 16, batch size 128, images a class 200; all of it" in page
    assert "- A limit of the lines.\n" in page
    assert "Published, but not planned to answer the claims" not in page
    assert "± standard deviation over 3 seeds |" in page
    row = "8: 0.00 ± 0.00<br>16: +1.00 ± 0.00<br>32: +2.00 ± 0.00<br>64: +3.00 ± 0.00"
    assert f"| width | adam | {row} |" in page
    assert "| width, 8 to 64 | +3.00 | +3.00 to +3.00 | < 0.001 | < 0.001 | 0.00 | yes |" in page
    (row, *_) = (each for each in page.splitlines() if each.startswith("| Balanced accuracy |"))
    assert row.endswith(" | **explained** by width, 8 to 64 (+3.00 points) |")


def test_what_shows_nothing_says_so():
    found = answer_lines(DESIGN, line_cells(), LEVEL)
    rows = made.first_rows(DesignAnswer(DESIGN, ("not published",)), found)
    assert rows == [[says, "**not run**", "**not explained**"]
                    for says in ("Balanced accuracy", "Likelihood")]  # fmt: skip
    said = made.lines_response_sentence(DESIGN, found.lines, found.responses[0])
    assert re.fullmatch(r"\*\*Not explained\*\*\. An effect needs at least 0\.\d\d points\.", said)
