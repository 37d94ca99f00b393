from pipeline.figures.forest import MASKED_NOTE
from pipeline.figures.style import SERIES
from tests.figures.examples import forest


def test_a_group_too_small_for_a_rate_has_an_interval_and_no_full_point():
    axes = forest().axes[0]
    faces = [line.get_markerfacecolor() for line in axes.get_lines() if line.get_marker() != "None"]
    assert faces == [SERIES[0], "#ffffff"]
    assert [text.get_text() for text in axes.texts] == [MASKED_NOTE, "all: 5.0%"]


def test_a_masked_group_has_no_number_in_its_name():
    names = [label.get_text() for label in forest().axes[0].get_yticklabels()]
    assert names == ["site: north (n = 100)", "site: south (n = 20)", "site: west"]
