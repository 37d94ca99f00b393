"""A design's factors one at a time, over more than two levels."""

import re
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.findings import design_wording as made
from pipeline.findings.lines import answer_lines
from pipeline.findings.page import findings_page
from tests.findings.designed_study import DESIGN, cells, line_cells
from tests.findings.test_design_wording import STATED, section
from tests.findings.test_designed import without_seed

LEVEL = 0.05


def shown(found):
    """Factor and level apart of the lines with a trend, a response each."""
    return [[(each.factor, each.apart) for each in lines if each.shown]
            for _, lines in found.found]  # fmt: skip


def test_a_planted_trend_is_found_at_its_level_apart_and_nowhere_else():
    found = answer_lines(DESIGN, line_cells({"width": 0.01}), LEVEL)
    assert found.missing == ()
    assert shown(found) == [[("width", "adam")]] * 2
    for _, lines in found.found:
        assert [(each.factor, each.apart) for each in lines] == [
            (name, apart)
            for name in ("width", "batch size", "images a class")
            for apart in ("sgd", "adam")
        ]
        line = lines[1]
        # Noise of 0.004 and 12 seeds over three doublings: a standard error of 0.001.
        assert line.line.slope == pytest.approx(0.01, abs=0.003)
        means = [point.mean for point in line.points]
        assert means == pytest.approx([-0.01, 0.0, 0.01, 0.02], abs=0.01)
        assert [point.num_seeds for point in line.points] == [3, 3, 3, 3]


def test_the_slope_is_the_least_squares_one_over_every_seed():
    every = line_cells({"batch size": -0.01})
    _, lines = answer_lines(DESIGN, every, LEVEL).found[0]
    (line,) = (each for each in lines if (each.factor, each.apart) == ("batch size", "adam"))
    differences = []
    for batch_size in (32, 128, 512):
        (cell,) = (each for each in every
                   if each.row.experiment == f"16-adam-{batch_size}-200")  # fmt: skip
        runs = cell.tables["runs"].query("calibrator == 'identity'").set_index(["loss", "seed"])
        values = runs["balanced_accuracy"]
        differences += (values["gce"] - values["cross_entropy"]).tolist()
    assert line.line.slope == pytest.approx(np.polyfit(np.repeat([5, 7, 9], 3), differences, 1)[0])


def test_without_a_trend_95_percent_of_studies_show_none():
    found = [answer_lines(DESIGN, line_cells(seed=seed), LEVEL) for seed in range(50)]
    clear = [not lines for each in found for lines in shown(each)]
    # Intervals hold together in 95 % of 100 tables or more; 88 % is three standard errors below.
    assert np.mean(clear) >= 0.88


@pytest.mark.parametrize("place", [0, 3, 8])
def test_a_missing_cell_is_not_run_and_named(place):
    every = line_cells()
    del every[place]
    found = answer_lines(DESIGN, every, LEVEL)
    assert found.found == ()
    (missing,) = found.missing
    assert missing.startswith("no experiment with width ")


def test_a_cell_that_lacks_a_seed_is_not_run():
    every = line_cells()
    every[2] = without_seed(every[2], 1)
    found = answer_lines(DESIGN, every, LEVEL)
    assert found.found == ()
    assert "size_lines/32-sgd-128-200, balanced accuracy: 2 of 3 seeds with both" in found.missing


def test_a_level_that_the_lines_do_not_name_is_refused():
    every = line_cells()
    strange = every[0].settings.data.model_copy(update={"train_cases_a_class": 400.0})
    every[0] = replace(every[0], settings=every[0].settings.model_copy(update={"data": strange}))
    with pytest.raises(InputError, match=r"images a class 50 or 200 or 1000 expected, got 400"):
        answer_lines(DESIGN, every, LEVEL)


def test_a_design_without_lines_has_no_answer_and_no_paragraph():
    design = DESIGN.model_copy(update={"lines": None})
    assert answer_lines(design, line_cells(), LEVEL) is None
    page = findings_page(STATED.model_copy(update={"designs": [design]}), ["size"], [], cells())
    assert "Over wider ranges" not in page
    assert "One factor at a time" not in page


def test_lines_without_the_factorial_are_answered_alone_and_the_other_way_round():
    page = findings_page(STATED, ["size_lines"], [], line_cells())
    assert "**Not run**: the study size is not published." in section(page)
    assert len(re.findall(r"\| (?:yes|no) \|$", section(page), flags=re.MULTILINE)) == 2 * 6
    page = findings_page(STATED, ["size"], [], cells())
    assert "**Not run**: the study size_lines is not published." in section(page)


def test_the_page_says_every_level_and_the_first_screen_says_the_trends():
    every = [*cells(), *line_cells({"width": 0.01, "batch size": -0.01})]
    page = findings_page(STATED, ["size", "size_lines"], [], every)
    assert "moves one factor at a time, the others at width 16, batch size 128, images" in page
    assert "- A limit of the lines.\n" in page
    assert re.search(r"\| width \| adam \| 8: \S+ ± \S+<br>16: .*<br>64: .* \| yes \|", page)
    (line,) = (each for each in page.splitlines() if each.startswith("[Why?](#size)"))
    assert re.search(
        r"balanced accuracy rises with width under adam \(\+[01]\.\d\d points a doubling\), "
        r"falls with batch size under adam \(−",
        line,
    )


def test_what_shows_no_trend_says_so():
    found = answer_lines(DESIGN, line_cells(), LEVEL)
    assert made.short_lines(found) == (
        "balanced accuracy shows no trend; likelihood shows no trend."
    )
