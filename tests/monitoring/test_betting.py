from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from pipeline.monitoring.betting import (
    EXCESSES,
    excess_bets,
    log_wealth,
    tilted_bets,
    uniform_bets,
)

DELTA = 0.05


def every_series(length):
    """Return all series of right and wrong; (length, 2 ** length)."""
    return np.array(list(product([False, True], repeat=length))).T


def chances_of(series, chance):
    """Return the chance of each series, given the chance of an error after each past."""
    return np.where(series, chance, 1 - chance).prod(axis=0)


def test_the_wealth_is_that_of_stakes_put_down_before_each_time():
    factors = np.random.default_rng(0).uniform(0.5, 2.0, (7, 3))
    waiting = [1 / np.log2(s + 2) for s in range(8)]
    slow = [
        waiting[t]
        + sum((waiting[s] - waiting[s + 1]) * factors[s:t].prod(axis=0).mean() for s in range(t))
        for t in range(1, 8)
    ]
    np.testing.assert_allclose(np.exp(log_wealth(np.log(factors))), slow, rtol=1e-12)


def test_the_wealth_after_one_wrong_and_one_right_answer_worked_out_by_hand():
    # Against 1/2, odds of 1.5, 2 and 3 are chances of 3/5, 2/3 and 3/4.
    first = [1.2, 4 / 3, 1.5]
    second = [0.8, 2 / 3, 0.5]
    start = 1 - 1 / np.log2(3)
    later = 1 / np.log2(3) - 1 / 2
    wealth = 1 / 2 + start * np.dot(first, second) / 3 + later * np.mean(second)
    bets = excess_bets(np.array([True, False]), 0.5)
    assert np.exp(log_wealth(bets)[-1]) == pytest.approx(wealth, rel=1e-12)


@pytest.mark.parametrize("target", [0.02, 0.3, 0.9])
def test_the_expected_wealth_is_one_at_the_target_at_all_times(target):
    series = every_series(8)
    wealth = np.exp(log_wealth(excess_bets(series, target)))
    expected = wealth @ chances_of(series, target)
    # Sums of 256 products: rounding alone.
    np.testing.assert_allclose(expected, 1.0, rtol=1e-12)


def test_the_expected_wealth_only_falls_where_errors_are_rarer_depending_on_the_past():
    target = 0.3
    series = every_series(8)
    before = np.vstack([np.zeros(series.shape[1], bool), series[:-1]])
    chance = np.where(before, target, target / 4)
    expected = np.exp(log_wealth(excess_bets(series, target))) @ chances_of(series, chance)
    assert (np.diff(expected, prepend=1.0) < 0).all()


@pytest.mark.parametrize("delta", [0.2, 0.05])
def test_the_wealth_ever_reaches_one_over_delta_in_at_most_delta_of_all_series(delta):
    target = 0.3
    series = every_series(14)
    highest = log_wealth(excess_bets(series, target)).max(axis=0)
    alarmed = chances_of(series, target)[highest >= -np.log(delta)].sum()
    assert 0 < alarmed <= delta


def test_a_likelihood_ratio_is_a_bet_in_proportion_to_the_error():
    target = 0.05
    odds = np.array(EXCESSES) * target / (1 - target)
    rate = (odds / (1 + odds) - target) / (target * (1 - target))
    bets = np.exp(excess_bets(np.array([True, False]), target))
    np.testing.assert_allclose(bets, 1 + rate * (np.array([[1], [0]]) - target), rtol=1e-12)


@pytest.mark.parametrize("chance", [1e-6, 0.1, 0.5, 1 - 1e-6])
def test_a_bet_on_an_event_is_fair_whatever_its_chance(chance):
    happened, not_happened = np.exp(tilted_bets(np.array([True, False]), chance))
    np.testing.assert_allclose(chance * happened + (1 - chance) * not_happened, 1.0, rtol=1e-12)


def test_a_bet_on_p_values_is_fair_and_never_loses_all():
    nodes, weights = np.polynomial.legendre.leggauss(5)  # exact for polynomials of degree 9
    bets = np.exp(uniform_bets((nodes + 1) / 2))
    np.testing.assert_allclose(weights @ bets / 2, 1.0, rtol=1e-12)
    assert np.isfinite(uniform_bets(np.array([0.0, 0.5, 1.0]))).all()


def test_without_a_patient_there_is_no_wealth_to_look_at():
    assert log_wealth(excess_bets(np.array([], bool), 0.05)).shape == (0,)


def test_a_change_after_many_good_answers_is_found():
    wrong = np.arange(3_000) % 50 == 0  # 2 %, and then every tenth
    wrong[2_000:] = np.arange(1_000) % 10 == 0
    wealth = log_wealth(excess_bets(wrong, 0.05))
    from_the_start = excess_bets(wrong, 0.05).sum(axis=0)
    assert wealth[1_999] < 0
    assert wealth[-1] > -np.log(DELTA) > from_the_start.max()


def simulate(chance, *, target, patients, runs, seed):
    """Return after how many patients each run is alarmed; `patients` + 1 where it is not."""
    wrong = np.random.default_rng(seed).random((patients, runs)) < chance
    reached = log_wealth(excess_bets(wrong, target)) >= -np.log(DELTA)
    return np.where(reached.any(axis=0), reached.argmax(axis=0) + 1, patients + 1)


@pytest.mark.slow
@pytest.mark.parametrize("target", [0.01, 0.05, 0.1])
def test_in_1000_series_of_10000_patients_at_most_delta_are_ever_alarmed(target):
    runs = 1_000
    alarms = sum(
        (simulate(target, target=target, patients=10_000, runs=100, seed=[part]) <= 10_000).sum()
        for part in range(runs // 100)
    )
    assert alarms <= binom.ppf(0.999, runs, DELTA)


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "most"), [(1.5, 700), (2.0, 200), (3.0, 70)])
def test_more_errors_than_the_target_are_found_as_soon_as_is_documented(factor, most):
    # Documented: about 520, 130 and 50 labels. A median of 400 runs errs by a tenth or so.
    delays = simulate(0.05 * factor, target=0.05, patients=4_000, runs=400, seed=1)
    assert np.median(delays) <= most
