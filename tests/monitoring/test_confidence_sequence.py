import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom

from pipeline.monitoring.confidence_sequence import confidence_sequence, log_wealth_below

DELTA = 0.05


@pytest.mark.parametrize(("wrong", "answered", "risk"), [(0, 0, 0.3), (3, 10, 0.4), (8, 412, 0.05)])
def test_the_wealth_is_the_mean_likelihood_ratio_of_all_lower_risks(wrong, answered, risk):
    def ratio(p):
        return (p / risk) ** wrong * ((1 - p) / (1 - risk)) ** (answered - wrong)

    mean = quad(ratio, 0, risk)[0] / risk
    wealth = np.exp(log_wealth_below(np.array([wrong]), np.array([answered]), risk))
    assert wealth[0] == pytest.approx(mean, rel=1e-8)


@pytest.mark.parametrize("risk", [0.02, 0.5])
def test_the_expected_wealth_is_one_at_the_risk_and_less_above(risk):
    counts = np.arange(41)
    wealth = np.exp(log_wealth_below(counts, np.full(41, 40), risk))
    # The errors of 40 answers are binomial; sums of 41 terms.
    assert binom.pmf(counts, 40, risk) @ wealth == pytest.approx(1.0, rel=1e-9)
    assert binom.pmf(counts, 40, 1.2 * risk) @ wealth < 1


def test_a_limit_is_where_the_wealth_is_two_over_delta():
    wrong, answered = np.array([8]), np.array([412])
    _, upper = confidence_sequence(wrong, answered, DELTA)
    wealth = np.exp(log_wealth_below(wrong, answered, upper))
    # Halved 50 times, of a wealth that grows by some hundreds of a hundredth.
    assert wealth[0] == pytest.approx(2 / DELTA, rel=1e-6)


def test_right_and_wrong_exchanged_exchange_the_limits():
    wrong, answered = np.array([0, 3, 30]), np.array([5, 9, 400])
    low, high = confidence_sequence(wrong, answered, DELTA)
    other_low, other_high = confidence_sequence(answered - wrong, answered, DELTA)
    np.testing.assert_allclose(low, 1 - other_high)
    np.testing.assert_allclose(high, 1 - other_low)


@pytest.mark.parametrize(
    ("wrong", "answered"), [(0, 0), (0, 1), (1, 1), (0, 5_000), (5_000, 5_000)]
)
def test_the_share_seen_is_within_the_limits(wrong, answered):
    low, high = confidence_sequence(np.array([wrong]), np.array([answered]), DELTA)
    assert 0 <= low <= wrong / max(answered, 1) <= high <= 1
    if wrong == answered:
        assert high == 1
    if wrong == 0:
        assert low == 0


def test_limits_close_in_on_the_risk():
    answered = np.array([100, 10_000, 1_000_000])
    low, high = confidence_sequence(answered // 20, answered, DELTA)
    assert (np.diff(high - low) < 0).all()
    assert high[-1] - low[-1] < 0.003


@pytest.mark.slow
@pytest.mark.parametrize("risk", [0.02, 0.05, 0.3])
def test_in_1000_series_of_5000_answers_the_risk_is_ever_outside_in_at_most_delta(risk):
    runs, answered = 1_000, np.arange(1, 5_001)
    random = np.random.default_rng(0)
    level = np.log(2 / DELTA)
    failed = 0
    for _ in range(runs):
        wrong = np.cumsum(random.random(len(answered)) < risk)
        above = log_wealth_below(wrong, answered, risk).max() >= level
        below = log_wealth_below(answered - wrong, answered, 1 - risk).max() >= level
        failed += above or below
    assert failed <= binom.ppf(0.999, runs, DELTA)
