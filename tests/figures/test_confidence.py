import numpy as np

from tests.figures.examples import FIGURES


def test_own_cases_are_a_grey_area_and_foreign_ones_outlines():
    own, foreign = FIGURES["confidence"]().axes[0].patches
    assert (own.get_fill(), foreign.get_fill()) == (True, False)
    assert own.get_label() == "own test cases, n = 40"
    assert foreign.get_label() == "textures (far), n = 40"


def test_where_a_model_answers_nothing_no_threshold_is_drawn():
    none, some = FIGURES["confidence"]().axes
    assert not none.get_lines()
    np.testing.assert_allclose(some.get_lines()[0].get_xdata(), 100 * 0.7)
