import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from pipeline.metrics.risk_tests import (
    RISK_TESTS,
    binomial_p_value,
    binomial_upper_limit,
    hoeffding_bentkus_p_value,
    hoeffding_bentkus_upper_limit,
)

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
targets = st.floats(0.001, 0.999)


@given(counts, targets)
def test_the_binomial_p_value_is_the_lower_tail(count, target):
    wrong, answered = count
    found = binomial_p_value(np.array([wrong]), np.array([answered]), target)
    assert found == pytest.approx(binom.cdf(wrong, answered, target), rel=1e-9, abs=1e-300)


@given(counts, st.floats(0.001, 0.5))
def test_the_binomial_limit_is_clopper_and_pearson_s(count, delta):
    wrong, answered = count
    reference = binomtest(wrong, answered, alternative="less").proportion_ci(1 - delta).high
    found = binomial_upper_limit(np.array([wrong]), np.array([answered]), delta)
    assert found == pytest.approx(reference, rel=1e-8)


def test_published_limits_are_reproduced():
    # 0 of 60: 1 - 0.025 ** (1/60), "6.0 %"; 10 wrong of 500, one-sided 95 %: "3.4 %".
    assert binomial_upper_limit(np.array([0]), np.array([60]), 0.025) == pytest.approx(
        1 - 0.025 ** (1 / 60), rel=1e-12
    )
    assert binomial_upper_limit(np.array([10]), np.array([500]), 0.05).round(3) == 0.034


@pytest.mark.parametrize("name", RISK_TESTS)
@given(counts, st.sampled_from([0.01, 0.05, 0.2]))
def test_the_limit_is_the_smallest_target_that_passes(name, count, delta):
    test = RISK_TESTS[name]
    losses, answered = np.array([float(count[0])]), np.array([count[1]])
    limit = test.upper_limit(losses, answered, delta)[0]
    if limit < 1:
        assert test.p_value(losses, answered, min(limit + 1e-6, 1 - 1e-9)) <= delta
        assert test.p_value(losses, answered, limit - 1e-6) > delta


@given(counts, targets)
def test_hoeffding_bentkus_is_never_bolder_than_the_exact_test_on_counts(count, target):
    losses, answered = np.array([float(count[0])]), np.array([count[1]])
    exact = binomial_p_value(losses, answered, target)
    bounded = hoeffding_bentkus_p_value(losses, answered, target)
    assert exact <= bounded * (1 + 1e-9)
    assert bounded <= 1


def test_hoeffding_bentkus_by_hand():
    losses, answered, target = np.array([1.5]), np.array([10]), 0.5
    divergence = 0.15 * np.log(0.15 / 0.5) + 0.85 * np.log(0.85 / 0.5)
    tail = (1 + 10 + 45) / 2**10  # P(Binomial(10, 1/2) <= 2)
    expected = min(np.exp(-10 * divergence), np.e * tail)
    assert hoeffding_bentkus_p_value(losses, answered, target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", RISK_TESTS)
@pytest.mark.parametrize("beta", [(0.05, 0.95), (2.0, 38.0)])
def test_p_values_are_valid_where_the_risk_is_just_the_target(name, beta):
    rng, draws, answered = np.random.default_rng(0), 20_000, 60
    target = beta[0] / sum(beta)  # Both families of losses have mean 0.05.
    if RISK_TESTS[name].binary:
        losses = rng.binomial(answered, target, draws).astype(float)
    else:
        losses = rng.beta(*beta, size=(draws, answered)).sum(axis=1)
    p_values = RISK_TESTS[name].p_value(losses, np.full(draws, answered), target)
    for level in (0.01, 0.05, 0.1, 0.5):
        allowance = binom.ppf(0.999, draws, level) / draws
        assert (p_values <= level).mean() <= allowance


@pytest.mark.parametrize(
    ("wrong", "answered", "p_value", "limit"),
    [
        pytest.param(0, 1, 1 - 0.2, 1 - 0.05, id="one case, right"),
        pytest.param(1, 1, 1.0, 1.0, id="one case, wrong"),
        pytest.param(0, 10, 0.8**10, 1 - 0.05 ** (1 / 10), id="all right"),
        pytest.param(10, 10, 1.0, 1.0, id="all wrong"),
    ],
)
@pytest.mark.parametrize("name", RISK_TESTS)
def test_edges_agree_between_the_tests(name, wrong, answered, p_value, limit):
    losses, counts = np.array([float(wrong)]), np.array([answered])
    assert RISK_TESTS[name].p_value(losses, counts, 0.2) == pytest.approx(p_value, rel=1e-12)
    assert RISK_TESTS[name].upper_limit(losses, counts, 0.05) == pytest.approx(limit, rel=1e-9)


def test_smaller_losses_earn_a_lower_limit():
    limits = hoeffding_bentkus_upper_limit(np.array([1.0, 2.5, 9.0]), np.full(3, 100), 0.05)
    assert (np.diff(limits) > 0).all()
