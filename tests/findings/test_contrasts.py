"""Contrasts of cells of replicates."""

import numpy as np
import pytest
from scipy import stats

from pipeline.findings.contrasts import bend_weights, change_weights, contrast

PLACES = np.array([0.0, 2.0, 4.3])


@pytest.mark.parametrize("places", [PLACES, np.arange(3.0, 7.0)])
def test_the_change_is_that_of_the_least_squares_line(places):
    values = np.random.default_rng(0).normal(size=len(places))
    slope = np.polyfit(places, values, 1)[0]
    assert change_weights(places) @ values == pytest.approx(slope * (places[-1] - places[0]))


@pytest.mark.parametrize("places", [PLACES, np.arange(3.0, 7.0)])
def test_the_bend_is_the_parabola_s_middle_above_its_ends_chord(places):
    values = np.random.default_rng(1).normal(size=len(places))
    parabola = np.poly1d(np.polyfit(places, values, 2))
    chord = (parabola(places[0]) + parabola(places[-1])) / 2
    middle = parabola((places[0] + places[-1]) / 2)
    assert bend_weights(places) @ values == pytest.approx(middle - chord)
    assert bend_weights(places) @ (3.0 - 2.0 * places) == pytest.approx(0.0, abs=1e-12)


def test_two_cells_are_welch_s_test():
    values = np.random.default_rng(2).normal(size=(2, 4)) * np.array([[1.0], [5.0]])
    found = contrast(np.array([-1.0, 1.0]), values, 0.95)
    welch = stats.ttest_ind(values[1], values[0], equal_var=False)
    assert found.p_value == pytest.approx(welch.pvalue)
    assert found.freedom == pytest.approx(welch.df)
    ends = welch.confidence_interval(0.95)
    assert (found.interval.lower, found.interval.upper) == pytest.approx((ends.low, ends.high))


def test_the_level_is_kept_where_an_end_is_five_times_noisier():
    generator = np.random.default_rng(3)
    noise = np.array([5.0, 1.0, 1.0, 1.0])[:, None]
    weights = change_weights(np.arange(4.0))
    p_values = [contrast(weights, noise * generator.normal(size=(4, 5)), 0.95).p_value
                for _ in range(2000)]  # fmt: skip
    # 5 % of 2,000 has a standard error of 0.5 points.
    assert 0.035 < np.mean(np.array(p_values) < 0.05) < 0.065


def test_cells_of_equal_replicates_have_an_estimate_and_no_test():
    found = contrast(np.array([-1.0, 1.0]), np.array([[0.1] * 3, [0.3] * 3]), 0.95)
    assert found.estimate == pytest.approx(0.2)
    assert (found.standard_error, found.interval, found.p_value) == (0.0, None, None)
    assert found.detectable(0.05) is None


def test_what_is_detectable_is_shown_four_times_in_five():
    generator = np.random.default_rng(4)
    weights = np.array([-1.0, 1.0])
    shift = contrast(weights, np.array([[-1.0, 0.0, 1.0]] * 2), 0.95).detectable(0.05)
    draws = generator.normal(size=(4000, 2, 3)) + np.array([[0.0], [shift]])
    p_values = stats.ttest_ind(draws[:, 1], draws[:, 0], axis=1).pvalue
    assert np.mean(p_values < 0.05) == pytest.approx(0.8, abs=0.02)
