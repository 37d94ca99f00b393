import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, ttest_rel

from pipeline.errors import InputError
from pipeline.metrics.comparisons import (
    Summary,
    compare_to_baseline,
    holm,
    paired_t_interval,
    paired_t_p_value,
    rank_methods,
    summarise,
)


def test_one_seed_has_a_mean_and_no_deviation():
    assert summarise([3.0]) == Summary(3.0, None, 1)


def test_the_deviation_divides_by_one_less_than_the_seeds():
    # Squares of -2, 0 and 2 over 2.
    assert summarise([1.0, 3.0, 5.0]) == Summary(3.0, 2.0, 3)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 20))
def test_p_values_agree_with_scipys_paired_t_test(seed, n):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, n))
    assert paired_t_p_value(first - second) == pytest.approx(ttest_rel(first, second).pvalue)


@pytest.mark.parametrize("differences", [[], [1.0], [0.0, 0.0], [2.0, 2.0, 2.0]])
def test_no_p_value_and_no_interval_where_the_test_is_not_defined(differences):
    assert paired_t_p_value(differences) is None
    assert paired_t_interval(differences) is None


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 20), level=st.floats(0.5, 0.99))
def test_intervals_agree_with_scipys_of_paired_differences(seed, n, level):
    first, second = np.random.default_rng(seed).normal(size=(2, n))
    expected = ttest_rel(first, second).confidence_interval(level)
    found = paired_t_interval(first - second, level)
    assert [found.lower, found.upper] == pytest.approx([expected.low, expected.high])


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 8))
def test_the_interval_leaves_zero_out_exactly_where_the_p_value_is_below_five_percent(seed, n):
    differences = np.random.default_rng(seed).normal(1.0, 1.0, size=n)
    found = paired_t_interval(differences)
    assert (not found.lower <= 0 <= found.upper) == (paired_t_p_value(differences) < 0.05)


def test_the_interval_holds_the_true_difference_as_often_as_it_says():
    samples = np.random.default_rng(0).normal(0.3, 1.0, size=(4000, 5))
    found = [paired_t_interval(sample) for sample in samples]
    held = np.mean([interval.lower <= 0.3 <= interval.upper for interval in found])
    # Standard error 0.35 %.
    assert held == pytest.approx(0.95, abs=3 * 0.0035)


def test_an_interval_refuses_a_level_that_is_none():
    with pytest.raises(InputError, match=r"level must lie in \(0, 1\), got 1\.0"):
        paired_t_interval([1.0, 2.0], 1.0)


def test_holm_by_hand():
    # 4 * 0.01; 3 * 0.02; 2 * 0.03 = 0.06, no less than the last; 1 * 0.9.
    corrected = holm({"d": 0.9, "a": 0.01, "c": 0.03, "b": 0.02})
    assert corrected == pytest.approx({"d": 0.9, "a": 0.04, "c": 0.06, "b": 0.06})


@given(p_values=st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_never_lowers_a_p_value(p_values):
    named = {str(index): p for index, p in enumerate(p_values)}
    corrected = holm(named)
    assert all(named[name] <= corrected[name] <= 1 for name in named)
    ascending = sorted(named, key=lambda name: named[name])
    assert [corrected[name] for name in ascending] == sorted(corrected.values())


def test_holm_of_true_nulls_rejects_any_at_most_as_often_as_it_says():
    rng = np.random.default_rng(0)
    rejected = [
        min(holm({str(k): p for k, p in enumerate(rng.random(5))}).values()) <= 0.05
        for _ in range(4000)
    ]
    # Standard error 0.35 %.
    assert np.mean(rejected) <= 0.05 + 3 * 0.0035


def test_seeds_are_paired_by_name_and_the_unshared_left_out():
    values = {"ce": {0: 1.0, 1: 2.0, 2: 9.0}, "gce": {1: 1.0, 0: 0.5, 7: 50.0}}
    compared = compare_to_baseline(values, "ce")["gce"]
    assert compared.num_pairs == 2
    assert compared.mean_difference == pytest.approx((-0.5 - 1.0) / 2)


def test_a_single_seed_gives_a_difference_without_p_value():
    compared = compare_to_baseline({"ce": {0: 2.0}, "gce": {0: 1.0}}, "ce")["gce"]
    assert (compared.mean_difference, compared.p_value, compared.p_value_holm) == (-1.0, None, None)
    assert compared.standard_deviation is None


def test_holm_counts_the_methods_that_have_a_p_value():
    rng = np.random.default_rng(1)
    values = {name: dict(enumerate(rng.normal(size=5))) for name in ("ce", "gce", "focal")}
    values["same"] = values["ce"]
    compared = compare_to_baseline(values, "ce")
    smaller, larger = sorted((compared[name].p_value, name) for name in ("gce", "focal"))
    assert compared[smaller[1]].p_value_holm == pytest.approx(min(1.0, 2 * smaller[0]))
    assert compared["same"].p_value_holm is None
    assert "ce" not in compared


@given(seed=st.integers(0, 2**32 - 1))
def test_mean_ranks_agree_with_scipy_also_in_ties(seed):
    table = np.random.default_rng(seed).integers(0, 4, (5, 3)).astype(float)
    values = {str(i): dict(zip("abc", row, strict=True)) for i, row in enumerate(table)}
    expected = rankdata(table, axis=1).mean(axis=0)
    ranked = rank_methods(values, "lower")
    assert [ranked[name].mean_rank for name in "abc"] == pytest.approx(expected.tolist())
    negated = {key: {name: -value for name, value in row.items()} for key, row in values.items()}
    assert rank_methods(negated, "higher") == ranked


def test_ties_win_together():
    values = {"x": {"a": 1.0, "b": 1.0, "c": 2.0}, "y": {"a": 3.0, "b": 1.0, "c": 2.0}}
    ranked = rank_methods(values, "lower")
    assert [(ranked[name].num_wins, ranked[name].num_experiments) for name in "abc"] == [
        (1, 2), (2, 2), (0, 2)
    ]  # fmt: skip


def test_refuses_what_cannot_be_compared():
    with pytest.raises(InputError, match=r"baseline must be one of \['ce'\], got 'mse'"):
        compare_to_baseline({"ce": {0: 1.0}}, "mse")
    with pytest.raises(InputError, match=r"gce must share a seed with the baseline, got \[1\]"):
        compare_to_baseline({"ce": {0: 1.0}, "gce": {1: 1.0}}, "ce")
    with pytest.raises(InputError, match=r"y must have the methods \['a'\], got \['b'\]"):
        rank_methods({"x": {"a": 1.0}, "y": {"b": 1.0}}, "lower")
    with pytest.raises(InputError, match="at least one experiment"):
        rank_methods({}, "lower")
    with pytest.raises(InputError, match="at least one seed"):
        summarise([])
