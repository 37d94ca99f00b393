import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.errors import InputError
from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.risk_bands import bonferroni_bars, pointwise_band, risk_on_grid
from pipeline.metrics.risk_points import risk_at_coverage
from pipeline.metrics.selective import risk_coverage_curve


def draw(seed, n=80, levels=15):
    rng = np.random.default_rng(seed)
    scores = rng.integers(1, levels + 1, n) / levels
    return scores, (rng.random(n) > scores).astype(int)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_grid_reads_the_risk_at_each_coverage(seed):
    scores, wrong = draw(seed)
    grid = np.array([0.01, 0.25, 0.5, 0.8, 0.95, 1.0])
    expected = [risk_at_coverage(scores, wrong, coverage) for coverage in grid]
    np.testing.assert_array_equal(risk_on_grid(risk_coverage_curve(scores, wrong), grid), expected)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_band_is_the_exact_interval_at_every_point(seed):
    curve = risk_coverage_curve(*draw(seed))
    band = pointwise_band(curve, level=0.9)
    for point, (wrong, answered) in enumerate(zip(curve.losses, curve.answered, strict=True)):
        expected = proportion_interval(int(wrong), int(answered), level=0.9)
        assert band.lower[point] == pytest.approx(expected.lower, abs=1e-12)
        assert band.upper[point] == pytest.approx(expected.upper, abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_bars_answer_the_cases_that_score_at_least_the_preset(seed):
    scores, wrong = draw(seed)
    presets = np.array([1.1, 1.0, 0.5, 0.333, 0.0])
    bars = bonferroni_bars(risk_coverage_curve(scores, wrong), presets, level=0.95)
    assert bars.answered.tolist() == [(scores >= preset).sum() for preset in presets]
    assert bars.wrong.tolist() == [wrong[scores >= preset].sum() for preset in presets]


def test_bars_share_the_error_among_the_presets():
    curve = risk_coverage_curve(*draw(1))
    bars = bonferroni_bars(curve, curve.thresholds[:5], level=0.95)
    alone = pointwise_band(curve, level=1 - 0.05 / 5)
    np.testing.assert_allclose(bars.lower, alone.lower[:5], rtol=1e-12)
    np.testing.assert_allclose(bars.upper, alone.upper[:5], rtol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "lower", "upper"),
    [
        pytest.param([0], 0, 1 - 0.025, id="one case, right"),
        pytest.param([1], 0.025, 1, id="one case, wrong"),
        pytest.param([0] * 60, 0, 1 - 0.025 ** (1 / 60), id="all right"),
        pytest.param([1] * 60, 0.025 ** (1 / 60), 1, id="all wrong"),
    ],
)
def test_intervals_at_the_edges(wrong, lower, upper):
    band = pointwise_band(risk_coverage_curve(np.zeros(len(wrong)), np.array(wrong)), level=0.95)
    assert band.lower == pytest.approx([lower], abs=1e-12)
    assert band.upper == pytest.approx([upper], abs=1e-12)


def test_ten_wrong_of_500_are_3_6_percent_at_most_and_4_7_among_20_presets():
    scores, wrong = np.repeat([1.0, 0.0], 500), np.arange(1_000) < 10
    curve = risk_coverage_curve(scores, wrong)
    assert pointwise_band(curve, level=0.95).upper[0].round(3) == 0.036
    assert bonferroni_bars(curve, np.linspace(0.05, 1, 20), level=0.95).upper[-1].round(3) == 0.047


def test_a_preset_that_nothing_reaches_leaves_everything_open():
    bars = bonferroni_bars(risk_coverage_curve(*draw(2)), np.array([2.0]), level=0.95)
    assert (bars.answered[0], bars.lower[0], bars.upper[0]) == (0, 0, 1)


def test_each_slice_holds_the_truth_as_often_as_it_says_and_the_whole_line_less_often():
    rng, draws, n, rate = np.random.default_rng(3), 400, 200, 0.1
    inside = []
    for _ in range(draws):
        curve = risk_coverage_curve(rng.random(n), rng.random(n) < rate)
        band = pointwise_band(curve, level=0.95)
        inside.append((band.lower <= rate) & (rate <= band.upper))
    missed = 1 - np.mean(inside, axis=0)
    # The 99.99 % quantile for 400 draws: the largest of 200 slices is judged.
    assert missed.max() <= binom.ppf(0.9999, draws, 0.05) / draws
    assert np.mean([line.all() for line in inside]) < 0.95


def test_refuses_costs_for_an_exact_interval():
    with pytest.raises(InputError, match="needs losses of 0 or 1, got a summed loss that is no"):
        pointwise_band(risk_coverage_curve(np.array([0.5]), np.array([0.3])), level=0.95)
    with pytest.raises(InputError, match="needs losses of 0 or 1"):
        pointwise_band(risk_coverage_curve(np.array([0.5]), np.array([2])), level=0.95)


@pytest.mark.parametrize("coverage", [0.0, 1.5])
def test_refuses_a_coverage_that_no_curve_attains(coverage):
    with pytest.raises(InputError, match=rf"coverages must lie in \(0, 1\], got {coverage}"):
        risk_on_grid(risk_coverage_curve(*draw(4)), np.array([coverage]))


def test_refuses_a_level_of_one():
    with pytest.raises(InputError, match=r"level must lie in \(0, 1\), got 1"):
        bonferroni_bars(risk_coverage_curve(*draw(5)), np.array([0.5]), level=1)
