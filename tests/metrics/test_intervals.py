import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from pipeline.errors import InputError
from pipeline.metrics.intervals import (
    Interval,
    bias_bounded_interval,
    difference_interval,
    percentile_interval,
    proportion_interval,
)


@given(n=st.integers(1, 500), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.95, 0.99]))
def test_agrees_with_scipys_exact_interval(n, share, level):
    k = round(share * n)
    expected = binomtest(k, n).proportion_ci(level, method="exact")
    interval = proportion_interval(k, n, level)
    assert (interval.lower, interval.upper) == pytest.approx((expected.low, expected.high))


def test_zero_of_sixty_may_still_be_six_percent():
    # The upper limit solves (1 - u)^60 = 0.025, where a bootstrap would answer 0 to 0.
    assert proportion_interval(0, 60) == Interval(0.0, pytest.approx(1 - 0.025 ** (1 / 60)))
    assert proportion_interval(60, 60) == Interval(pytest.approx(0.025 ** (1 / 60)), 1.0)


@pytest.mark.parametrize("truth", [0.01, 0.1, 0.5])
def test_holds_the_true_proportion_at_least_as_often_as_it_says(truth):
    chances = binom.pmf(np.arange(41), 40, truth)
    intervals = [proportion_interval(k, 40) for k in range(41)]
    held = [interval.lower <= truth <= interval.upper for interval in intervals]
    assert chances[held].sum() >= 0.95


@pytest.mark.parametrize(
    ("counts", "other", "expected"),
    [
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_differences_agree_with_newcombes_table_ii(counts, other, expected):
    interval = difference_interval(counts, other)
    # The table gives four decimals.
    assert (interval.lower, interval.upper) == pytest.approx(expected, abs=5e-5)


def test_swapping_the_proportions_mirrors_the_interval():
    forward, backward = difference_interval((3, 40), (9, 50)), difference_interval((9, 50), (3, 40))
    assert (forward.lower, forward.upper) == pytest.approx((-backward.upper, -backward.lower))


def test_percentiles_cut_equally_many_off_either_end():
    values = np.random.default_rng(0).permutation(1000).astype(float)
    # 25 lie below the lower end, 25 above the upper.
    assert percentile_interval(values) == Interval(25.0, 974.0)
    assert percentile_interval(values, 0.9) == Interval(50.0, 949.0)


def test_percentiles_leave_out_resamples_without_the_number():
    assert percentile_interval(np.array([np.nan, 2.0, 1.0])) == Interval(1.0, 2.0)
    assert percentile_interval(np.array([np.nan, np.nan])) is None


def test_percentiles_keep_infinity():
    assert percentile_interval(np.array([1.0, np.inf, np.inf])) == Interval(1.0, np.inf)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 0), "got 1 of 0"),
        ((0, 0), "at least one case, got 0 of 0"),
        ((3, 2), "got 3 of 2"),
        ((-1, 2), "got -1 of 2"),
        ((1, 2, 1.0), r"level must lie in \(0, 1\), got 1\.0"),
        ((1, 2, 95), "got 95"),
    ],
)
def test_refuses_counts_that_are_no_proportion(arguments, message):
    with pytest.raises(InputError, match=message):
        proportion_interval(*arguments)


def test_a_bias_bounded_interval_is_wider_below_by_the_bias_and_never_below_zero():
    resampled = np.array([0.05, 0.07])
    interval = bias_bounded_interval(0.06, resampled, most_bias=0.03)
    assert interval.upper - 0.06 == pytest.approx(1.96 * 0.01, rel=1e-4)
    assert 0.06 - interval.lower == pytest.approx(0.03 + 1.96 * 0.01, rel=1e-4)
    assert bias_bounded_interval(0.04, resampled, most_bias=0.03).lower == 0.0


def test_a_bias_bounded_interval_refuses_a_level_of_one():
    with pytest.raises(InputError, match=r"level must lie in \(0, 1\), got 1"):
        bias_bounded_interval(0.1, np.array([0.1]), most_bias=0.0, level=1.0)
