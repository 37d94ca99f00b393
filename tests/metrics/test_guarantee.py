"""The guarantee is proved by simulation on problems whose true selective risk is known exactly."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom

from pipeline.errors import InputError
from pipeline.metrics.guarantee import choose_threshold
from pipeline.metrics.risk_points import coverage_at_risk
from pipeline.metrics.risk_tests import RISK_TESTS
from pipeline.metrics.selective import risk_coverage_curve
from pipeline.metrics.threshold_choice import Question
from tests.metrics.other_rules import bonferroni, sgr

DELTA = 0.05
TARGETS = (0.01, 0.05, 0.10)
SIZES = (100, 1_000, 10_000)
STEEPNESS, WORST_ERROR = 4, 0.5


@dataclass(frozen=True)
class Simulation:
    """What was answered in many draws, against the truth."""

    coverage: np.ndarray  # True coverage of the threshold found; 0 where none was.
    risk: np.ndarray  # True selective risk of it; 0 where none was.
    status: list[str]

    def share(self, *statuses):
        return np.isin(self.status, statuses).mean()


def simulate(n, target, *, feasible, draws):
    """Draw score s uniform on [0, 1] with P(wrong | s) = 0.5 (1 - s)^4, or always 1.02 target.

    Answering s >= t has coverage c = 1 - t and true risk 0.5 c^4 / 5 in the first problem; in the
    second it is above the target whatever the threshold, and hardly so: the hardest case.
    """
    rng = np.random.default_rng([n, int(1000 * target), feasible])
    coverage, risk, status = np.zeros(draws), np.zeros(draws), []
    for draw in range(draws):
        scores = rng.random(n)
        rate = WORST_ERROR * (1 - scores) ** STEEPNESS if feasible else 1.02 * target
        wrong = rng.random(n) < rate
        choice = choose_threshold(scores, wrong, target=target, delta=DELTA)
        status.append(choice.status)
        if choice.threshold is not None:
            coverage[draw] = 1 - choice.threshold
            infeasible_risk = 1.02 * target
            feasible_risk = WORST_ERROR * coverage[draw] ** STEEPNESS / (STEEPNESS + 1)
            risk[draw] = feasible_risk if feasible else infeasible_risk
    return Simulation(coverage, risk, status)


def best_coverage(target):
    return min(1.0, (target * (STEEPNESS + 1) / WORST_ERROR) ** (1 / STEEPNESS))


def allowed(draws):
    """Return the 99.9 % quantile of the share of violations if each has probability delta."""
    return binom.ppf(0.999, draws, DELTA) / draws


@pytest.mark.slow
@pytest.mark.parametrize("feasible", [True, False])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("n", SIZES)
def test_in_1000_draws_the_true_risk_exceeds_the_target_in_at_most_delta(n, target, feasible):
    found = simulate(n, target, feasible=feasible, draws=1_000)
    assert (found.risk > target).mean() <= allowed(1_000)
    if not feasible:
        assert found.share("none", "too_few") >= 1 - allowed(1_000)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_in_1000_draws_of_10000_cases_the_widest_safe_coverage_is_nearly_found(target):
    found = simulate(10_000, target, feasible=True, draws=1_000)
    assert found.share("found") >= 0.85
    assert found.coverage.mean() >= best_coverage(target) - 0.08


def violations_of_mean_costs(n, target, *, draws):
    """Return how often a threshold is found, and how often with a true mean cost above the target.

    An error, of probability 0.5 (1 - s)^4, costs a tenth or the whole, each as likely, so that the
    true mean cost at coverage c is 0.55 * 0.5 c^4 / 5.
    """
    rng = np.random.default_rng([n, int(1000 * target)])
    found = exceeded = 0
    for _ in range(draws):
        scores = rng.random(n)
        wrong = rng.random(n) < WORST_ERROR * (1 - scores) ** STEEPNESS
        costs = wrong * rng.choice([0.1, 1.0], n)
        choice = choose_threshold(
            scores, costs, target=target, delta=DELTA, test="hoeffding_bentkus"
        )
        if choice.threshold is not None:
            found += 1
            coverage = 1 - choice.threshold
            exceeded += 0.55 * WORST_ERROR * coverage**STEEPNESS / (STEEPNESS + 1) > target
    return found / draws, exceeded / draws


@pytest.mark.slow
@pytest.mark.parametrize("target", [0.01, 0.05])
@pytest.mark.parametrize("n", SIZES)
def test_in_1000_draws_the_true_mean_cost_exceeds_the_target_in_at_most_delta(n, target):
    found, exceeded = violations_of_mean_costs(n, target, draws=1_000)
    assert exceeded <= allowed(1_000)
    if n == 10_000:
        assert found >= 0.85


def test_the_true_mean_cost_rarely_exceeds_the_target():
    found, exceeded = violations_of_mean_costs(1_000, 0.05, draws=200)
    assert found == 1.0
    assert exceeded <= allowed(200)


@pytest.mark.parametrize("feasible", [True, False])
@pytest.mark.parametrize("target", TARGETS)
def test_the_true_risk_rarely_exceeds_the_target(target, feasible):
    found = simulate(1_000, target, feasible=feasible, draws=300)
    assert (found.risk > target).mean() <= allowed(300)


@pytest.mark.parametrize("target", TARGETS)
def test_a_feasible_target_is_met_close_to_the_best_coverage(target):
    found = simulate(10_000, target, feasible=True, draws=60)
    assert found.share("found") >= 0.85
    assert found.coverage.mean() >= best_coverage(target) - 0.08


def test_fixed_sequence_testing_finds_more_than_bonferroni_and_sgr():
    rng, asked = np.random.default_rng(0), Question(0.01, DELTA, RISK_TESTS["exact_binomial"])
    found = np.zeros(3)
    for _ in range(100):
        scores = rng.random(1_000)
        wrong = rng.random(1_000) < WORST_ERROR * (1 - scores) ** STEEPNESS
        curve = risk_coverage_curve(scores, wrong)
        ours = choose_threshold(scores, wrong, target=0.01, delta=DELTA)
        found += [ours.status == "found", bonferroni(curve, asked) > 0, sgr(curve, asked) > 0]
    assert found[0] > found[1:].max()


def test_the_widest_threshold_within_the_target_on_the_cases_at_hand_promises_nothing():
    rng, draws, target = np.random.default_rng(6), 300, 0.05
    exceeded = 0
    for _ in range(draws):
        scores = rng.random(500)
        wrong = rng.random(500) < WORST_ERROR * (1 - scores) ** STEEPNESS
        coverage = coverage_at_risk(scores, wrong, target)
        threshold = np.sort(scores)[-round(500 * coverage)]
        exceeded += WORST_ERROR * (1 - threshold) ** STEEPNESS / (STEEPNESS + 1) > target
    assert exceeded / draws > 0.4


def test_a_later_start_survives_a_single_early_error():
    # One error among the surest 477 of 10,000 fails the first start, and not the second.
    wrong = np.zeros(10_000, dtype=int)
    wrong[100] = 1
    choice = choose_threshold(np.linspace(1, 0, 10_000), wrong, target=0.01, delta=DELTA)
    assert choice.status == "found"
    assert choice.chosen.answered == 10_000


def test_a_threshold_found_answers_what_it_says():
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 40, 2_000) / 40
    wrong = rng.random(2_000) < (1 - scores) ** 3
    choice = choose_threshold(scores, wrong, target=0.05, delta=DELTA)
    answered = scores >= choice.threshold
    assert (choice.chosen.answered, choice.chosen.wrong) == (answered.sum(), wrong[answered].sum())
    assert choice.chosen.upper_limit <= 0.05


@pytest.mark.parametrize(
    ("scores", "wrong", "status"),
    [
        pytest.param([0.5], [0], "too_few", id="one case"),
        pytest.param(np.linspace(0, 1, 58), np.zeros(58), "too_few", id="one fewer than needed"),
        pytest.param(np.linspace(0, 1, 500), np.zeros(500), "found", id="all right"),
        pytest.param(np.linspace(0, 1, 500), np.ones(500), "none", id="all wrong"),
        pytest.param(np.zeros(500), np.arange(500) < 5, "found", id="all tied, 1 % wrong"),
        pytest.param(np.zeros(500), np.arange(500) < 50, "none", id="all tied, 10 % wrong"),
    ],
)
def test_the_answer_at_the_edges(scores, wrong, status):
    choice = choose_threshold(np.array(scores), np.array(wrong), target=0.05, delta=DELTA)
    assert choice.status == status
    assert (choice.threshold is None) == (status != "found")


def test_scaled_costs_are_judged_by_the_test_for_bounded_losses():
    rng = np.random.default_rng(4)
    scores = rng.random(5_000)
    costs = np.where(rng.random(5_000) < 0.3 * (1 - scores) ** 2, rng.choice([0.1, 1.0], 5_000), 0)
    choice = choose_threshold(scores, costs, target=0.03, delta=DELTA, test="hoeffding_bentkus")
    # True risk at coverage c: 0.55 * 0.3 c^2 / 3.
    assert choice.status == "found"
    assert 0.55 * 0.1 * (1 - choice.threshold) ** 2 <= 0.03
    assert choice.chosen.wrong == pytest.approx(costs[scores >= choice.threshold].sum())


def test_the_bounded_test_is_more_careful_than_the_exact_one():
    rng = np.random.default_rng(5)
    scores = rng.random(3_000)
    wrong = rng.random(3_000) < 0.3 * (1 - scores) ** 2
    exact, bounded = (
        choose_threshold(scores, wrong, target=0.05, delta=DELTA, test=test).chosen.answered
        for test in ("exact_binomial", "hoeffding_bentkus")
    )
    assert bounded <= exact


@pytest.mark.parametrize(
    ("losses", "arguments", "message"),
    [
        ([0, 1], {"target": 0.0}, r"target must lie in \(0, 1\), got 0\.0"),
        ([0, 1], {"delta": 1.0}, r"delta must lie in \(0, 1\), got 1\.0"),
        ([0, 1], {"test": "t"}, "test must be one of exact_binomial, hoeffding_bentkus, got 't'"),
        ([0, 0.5], {}, r"the test exact_binomial needs losses of 0 or 1, got others, largest 0\.5"),
        ([0, 2.0], {"test": "hoeffding_bentkus"}, r"losses must lie in \[0, 1\], got 2\.0"),
        ([0, 1, 1], {}, "one row a case expected"),
    ],
)
def test_refuses_what_no_promise_can_be_made_about(losses, arguments, message):
    with pytest.raises(InputError, match=message):
        choose_threshold(
            np.array([0.1, 0.9]), np.array(losses), **({"target": 0.05, "delta": DELTA} | arguments)
        )
