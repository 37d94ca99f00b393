import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.metrics.comparisons import holm
from pipeline.verifying.equivalence import compare_seeds, mean_difference, standings

MARGIN = 0.05


def draw(rng, num_seeds, mean=0.5, sd=0.01):
    return dict(enumerate(rng.normal(mean, sd, num_seeds).tolist()))


def compare(first, second, margin=MARGIN):
    first, second = (
        values if isinstance(values, dict) else dict(enumerate(values))
        for values in (first, second)
    )
    return compare_seeds(first, second, margin=margin)


def standing(first, second, margin=MARGIN):
    return standings({"it": compare(first, second, margin)})["it"]


def shares(shift, sd, num_seeds=(3, 3), trials=500):
    """How often two sets of seeds, their means so far apart, stand how."""
    rng = np.random.default_rng(0)
    found = [
        standing(draw(rng, num_seeds[0], 0.5 + shift, sd), draw(rng, num_seeds[1], 0.5, sd))
        for _ in range(trials)
    ]
    return {name: found.count(name) / trials for name in set(found)}


@given(seed=st.integers(0, 2**32 - 1), sizes=st.tuples(st.integers(2, 9), st.integers(2, 9)))
def test_p_values_and_intervals_are_the_more_careful_of_scipys_two_tests(seed, sizes):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(0, 1, sizes[0]), rng.normal(0.3, 2, sizes[1])
    found = mean_difference(first, second)
    tests = [stats.ttest_ind(first, second, equal_var=equal) for equal in (False, True)]
    assert found.p_value == pytest.approx(max(test.pvalue for test in tests), rel=1e-9)
    intervals = [test.confidence_interval(0.9) for test in tests]
    assert found.interval(0.9).lower == pytest.approx(min(i.low for i in intervals), rel=1e-9)
    assert found.interval(0.9).upper == pytest.approx(max(i.high for i in intervals), rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), num_seeds=st.integers(2, 9))
def test_for_as_many_seeds_on_both_sides_it_is_welch_s_test(seed, num_seeds):
    first, second = np.random.default_rng(seed).normal(size=(2, num_seeds))
    expected = stats.ttest_ind(first, second, equal_var=False).pvalue
    assert mean_difference(first, second).p_value == pytest.approx(expected, rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1))
def test_within_means_that_both_one_sided_tests_reject(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(0.02, 0.02, 4), rng.normal(0, 0.02, 4)
    above = stats.ttest_ind(first, second - MARGIN, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind(first, second + MARGIN, equal_var=False, alternative="less").pvalue
    assert (max(above, below) <= 0.05) == compare(first, second).within


@given(seed=st.integers(0, 2**32 - 1), swap=st.booleans())
def test_neither_the_sides_nor_the_names_of_the_seeds_matter(seed, swap):
    rng = np.random.default_rng(seed)
    first, second = draw(rng, 3, 0.5, 0.03), draw(rng, 5, 0.53, 0.03)
    other = {seed + 10: value for seed, value in second.items()}
    pair = (other, first) if swap else (first, other)
    assert standing(*pair) == standing(first, second)


def test_seeds_of_one_distribution_are_within_nearly_always():
    # Their scatter is a fifth of the margin: about a point.
    for num_seeds in ((3, 3), (3, 10)):
        found = shares(0.0, MARGIN / 5, num_seeds)
        assert found["within"] + found.get("near", 0) > 0.98
        # Alone, without others to correct for: 5 %, with a standard error of 1 %.
        assert found.get("near", 0) < 0.08


@pytest.mark.parametrize("sd", [MARGIN / 10, MARGIN / 5])
def test_a_shift_of_twice_the_margin_is_never_within(sd):
    assert {"within", "near"}.isdisjoint(shares(2 * MARGIN, sd))


@pytest.mark.parametrize("num_seeds", [(3, 3), (5, 5), (3, 10)])
def test_on_the_margin_at_most_one_of_twenty_is_taken_for_within(num_seeds):
    # Standard error 1 % of 500 trials; the chance is 5 % at most.
    found = shares(MARGIN, MARGIN / 10, num_seeds)
    assert found.get("within", 0) + found.get("near", 0) < 0.08


@pytest.mark.parametrize("num_seeds", [(3, 3), (5, 5), (3, 10)])
def test_of_all_figures_together_one_differs_falsely_in_at_most_one_of_twenty_calls(num_seeds):
    """24 figures of one distribution, which scatters too much to be shown to be within."""
    rng, num_calls, num_false = np.random.default_rng(2), 200, 0
    for _ in range(num_calls):
        figures = {str(i): compare(draw(rng, num_seeds[0], sd=0.2), draw(rng, num_seeds[1], sd=0.2))
                   for i in range(24)}  # fmt: skip
        num_false += not {"differs", "near"}.isdisjoint(standings(figures).values())
    # Of 200 calls 10 are expected at most; more than 17 have a chance of 1 %.
    assert num_false <= 17


def test_a_small_difference_that_seeds_tell_apart_is_no_seed_noise():
    rng = np.random.default_rng(4)
    small = compare(draw(rng, 5, 0.53, sd=0.002), draw(rng, 5, 0.5, sd=0.002))
    assert small.within
    assert standings({"small": small})["small"] == "near"


def test_a_gross_difference_is_found_among_many_figures():
    rng = np.random.default_rng(3)
    figures = {str(i): compare(draw(rng, 3), draw(rng, 3)) for i in range(23)}
    figures["broken"] = compare(draw(rng, 3, mean=0.9), draw(rng, 3))
    assert standings(figures)["broken"] == "differs"
    assert "differs" not in [name for key, name in standings(figures).items() if key != "broken"]


def test_holm_corrects_over_all_figures():
    pairs = {"a": ([0.3, 0.31, 0.29], [0.5, 0.54, 0.47]), "b": ([0.1, 0.5], [0.2, 0.9])}
    compared = {name: compare(*pair) for name, pair in pairs.items()}
    alone = compared["a"].p_value
    corrected = holm({name: each.p_value for name, each in compared.items()})["a"]
    assert (alone, corrected) == (pytest.approx(0.0054, abs=1e-3), 2 * alone)
    many = compared | {str(i): compare([0.1, 0.5], [0.2, 0.9]) for i in range(9)}
    assert standings(compared)["a"] == "differs"
    assert standings(many)["a"] == "open"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([0.5, 0.6], [0.5, 0.6], "same"),
        ({0: 0.5, 1: 0.6}, {0: 0.5, 1: 0.6, 2: 0.9}, "same"),
        ({0: 0.5}, {0: 0.5}, "same"),
        ({0: 0.5}, {0: 0.5000001}, "open"),
        ({0: 0.5}, {1: 0.5}, "open"),
        ({0: 0.5}, {1: 0.5, 2: 0.6}, "open"),
        ({0: 0.5, 1: 0.5}, {2: 0.5, 3: 0.5}, "within"),
        ([0.5, 0.5], [0.53, 0.53], "near"),
        ([0.5, 0.5], [0.5625, 0.5625], "differs"),
        ([0.5, 0.5, 0.5], [0.5, 0.51, 0.49], "within"),
        ([np.nan, 0.5], [np.nan, 0.5], "same"),
        ([np.nan, np.nan], [np.nan, np.nan], "same"),
        ([np.nan, 0.5, 0.5], [0.5, 0.5, 0.5], "differs"),
        ([0.5, 0.5], [np.inf, 0.5], "differs"),
        ([np.nan, 0.5], [0.5, np.nan], "open"),
    ],
    ids=str,
)
def test_the_edges_are_defined(first, second, expected):
    assert standing(first, second) == expected


def test_a_difference_on_the_margin_itself_is_within_it():
    # Exact in binary, and without scatter.
    assert compare([0.5, 0.5], [0.75, 0.75], margin=0.25).within
    assert not compare([0.5, 0.5], [0.75, 0.75], margin=0.249).within


def test_of_one_seed_there_is_neither_interval_nor_p_value():
    found = compare([0.5], [0.6])
    assert (found.interval, found.p_value, found.means) == (None, None, None)
