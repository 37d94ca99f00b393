"""The guarantee is proved by simulation on problems whose true selective risk is known exactly."""

from math import ceil, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.errors import InputError
from pipeline.metrics.guarantee import (
    GRID_STEPS,
    choose_threshold,
    fixed_sequence,
    sequence_starts,
)
from pipeline.metrics.risk_points import coverage_at_risk
from pipeline.metrics.risk_tests import RISK_TESTS
from pipeline.metrics.selective import risk_coverage_curve
from pipeline.metrics.threshold_choice import (
    Question,
    coverage_steps,
    minimum_answered,
    points_answering,
)

DELTA = 0.05
TARGETS = (0.01, 0.05, 0.10)
SIZES = (100, 1_000, 10_000)
STEEPNESS, WORST_ERROR = 4, 0.5
EXACT, BOUNDED = RISK_TESTS["exact_binomial"], RISK_TESTS["hoeffding_bentkus"]

# The chance of an error, by the share u of surer cases and the target.
ERROR_RATES = {
    "steep": lambda u, _: WORST_ERROR * u**STEEPNESS,
    "surest quarter safe": lambda u, target: target * np.where(u < 0.25, 0.2, 4.0),
    "surest tenth safe": lambda u, target: target * np.where(u < 0.1, 0.2, 4.0),
    "falling smoothly": lambda u, target: target * 10 * u**2,
    "hardly too high everywhere": lambda u, target: np.full_like(u, 1.02 * target),
    "surest fiftieth wrong": lambda u, target: target * np.where(u < 0.02, 4.0, 0.5),
}
FINE = (np.arange(100_000) + 0.5) / 100_000


def question(target=0.05, delta=DELTA, test=EXACT):
    return Question(target, delta, test)


def falling(wrong):
    """Return the curve of cases that are sorted from sure to unsure, none of equal score."""
    return risk_coverage_curve(np.linspace(1, 0, len(wrong)), wrong)


def answered(curve, asked):
    """Return how many cases the rule answers, 0 if it finds nothing."""
    choice = fixed_sequence(curve, asked)
    return choice.chosen.answered if choice.chosen else 0


def bonferroni(curve, asked, num_steps=20):
    """The rule to compare with: 20 coverages, each tested at delta / 20, the widest that passes."""
    points = points_answering(curve, coverage_steps(int(curve.answered[-1]), num_steps))
    passed = p_values(curve, points, asked) <= asked.delta / num_steps
    return int(curve.answered[points[passed]].max(initial=0))


def sgr(curve, asked):
    """Another: halve the range of ranks ceil(log2 n) times, each test at delta over that number.

    Geifman and El-Yaniv 2017, arXiv:1705.08500, algorithm 2, but for naming a threshold that passed
    where the published one names the last it tried.
    """
    num_cases = int(curve.answered[-1])
    num_tests = ceil(log2(num_cases))
    lowest, highest, found = 1, num_cases, 0
    for _ in range(num_tests):
        middle = ceil((lowest + highest) / 2)
        # The paper ranks scores upward: rank z answers the n - z + 1 cases from it on.
        point = curve.answered.searchsorted(num_cases - middle + 1, side="left")
        if p_values(curve, [point], asked)[0] <= asked.delta / num_tests:
            highest, found = middle, int(curve.answered[point])
        else:
            lowest = middle
    return found


def p_values(curve, points, asked):
    return asked.test.p_value(curve.losses[points], curve.answered[points], asked.target)


def simulate(n, target, regime, *, draws, rule=answered):
    """Return in what share of draws a rule finds a threshold, mean coverage, and violations.

    The same draws for every rule. The true selective risk at coverage c is the mean error rate of
    the cases with u < c; a violation is a threshold of a true risk above the target.
    """
    rng = np.random.default_rng([n, int(1000 * target), *regime.encode()])
    rate = ERROR_RATES[regime]
    true_risk = np.cumsum(rate(FINE, target)) / np.arange(1, len(FINE) + 1)
    answers = np.zeros((draws, 2))
    for draw in range(draws):
        u = np.sort(rng.random(n))
        curve = risk_coverage_curve(1 - u, rng.random(n) < rate(u, target))
        if num_answered := rule(curve, question(target)):
            coverage = u[num_answered - 1]
            answers[draw] = coverage, true_risk[int(coverage * len(FINE))] > target
    return (answers[:, 0] > 0).mean(), answers[:, 0].mean(), answers[:, 1].mean()


def allowed(draws):
    """Return the 99.9 % quantile of the share of violations if each has probability delta."""
    return binom.ppf(0.999, draws, DELTA) / draws


@pytest.mark.parametrize("regime", ["steep", "hardly too high everywhere"])
@pytest.mark.parametrize("target", TARGETS)
def test_the_true_risk_rarely_exceeds_the_target(target, regime):
    found, _, violations = simulate(1_000, target, regime, draws=300)
    assert violations <= allowed(300)
    if regime != "steep":
        assert violations == found


@pytest.mark.slow
@pytest.mark.parametrize("regime", ERROR_RATES)
@pytest.mark.parametrize(
    ("n", "target"),
    [(100, 0.05), (300, 0.1), (1_000, 0.02), (3_000, 0.01), (10_000, 0.05), (10_000, 0.1)],
)
def test_in_2000_draws_the_true_risk_exceeds_the_target_in_at_most_delta(n, target, regime):
    assert simulate(n, target, regime, draws=2_000)[2] <= allowed(2_000)


@pytest.mark.parametrize("target", TARGETS)
def test_a_feasible_target_is_met_close_to_the_best_coverage(target):
    found, coverage, _ = simulate(10_000, target, "steep", draws=60)
    best = min(1.0, (target * (STEEPNESS + 1) / WORST_ERROR) ** (1 / STEEPNESS))
    assert found >= 0.85
    assert coverage >= best - 0.08


@pytest.mark.parametrize("regime", ["surest quarter safe", "falling smoothly"])
@pytest.mark.parametrize("n", [300, 1_000])
def test_it_finds_what_other_rules_find(n, regime):
    ours, *others = (
        simulate(n, 0.05, regime, draws=1_000, rule=rule) for rule in (answered, bonferroni, sgr)
    )
    # Two shares of 1,000 draws of the same data: their difference is known to about 2 %.
    for found, coverage, _ in others:
        assert ours[0] >= found - 0.05
        assert ours[1] >= coverage - 0.05


@pytest.mark.slow
def test_a_safe_tenth_is_found_more_often_than_by_other_rules():
    ours, *others = (
        simulate(10_000, 0.01, "surest tenth safe", draws=500, rule=rule)[0]
        for rule in (answered, bonferroni, sgr)
    )
    assert ours >= max(others) + 0.1


def test_wrong_answers_among_the_surest_do_not_end_the_search():
    # 20 of the surest cases are wrong in one of five, the rest in 2.5 %: all may be answered.
    assert simulate(1_000, 0.05, "surest fiftieth wrong", draws=200)[0] > 0.7


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


@given(
    n=st.integers(1, 3_000),
    target=st.sampled_from([0.01, 0.05, 0.3]),
    delta=st.sampled_from([0.01, 0.05, 0.5]),
)
def test_each_start_is_the_fewest_that_pass_with_0_2_6_14_wrong(n, target, delta):
    starts = sequence_starts(n, question(target, delta))
    level = delta / max(len(starts), 1)
    for number, start in enumerate(starts, 1):
        wrong = 2**number - 2
        assert binom.cdf(wrong, start, target) <= level < binom.cdf(wrong, start - 1, target)
    assert all(start <= n for start in starts)
    # One start more would need more cases than there are.
    more = len(starts) + 1
    assert binom.cdf(2**more - 2, n, target) > delta / more


@pytest.mark.parametrize(
    ("n", "starts"),
    [
        pytest.param(1, (), id="one case"),
        pytest.param(58, (), id="one fewer than needed"),
        pytest.param(59, (59,), id="just enough: 0.95^59 <= 5 %"),
        pytest.param(141, (59,), id="one fewer than two starts need"),
        # 0.95^72 <= 2.5 %, and P(Bin(142, 5 %) <= 2) <= 2.5 %.
        pytest.param(142, (72, 142), id="just enough for two starts"),
    ],
)
def test_the_starts_at_the_edges(n, starts):
    assert sequence_starts(n, question()) == starts


def test_costs_start_where_the_test_for_bounded_losses_may_pass():
    exact, bounded = (sequence_starts(1_000, question(test=test)) for test in (EXACT, BOUNDED))
    # Without any loss the two p-values are the same power of 1 - target.
    level = DELTA / len(bounded)
    assert bounded[0] == minimum_answered(0.05, level)
    for number, start in enumerate(bounded, 1):
        losses, answered = np.array([2**number - 2] * 2), np.array([start, start - 1])
        passes = BOUNDED.p_value(losses, answered, 0.05) <= level
        assert passes.tolist() == [True, False]
    assert len(bounded) <= len(exact)


def steps(num_cases, start):
    return [start, *(step for step in coverage_steps(num_cases, GRID_STEPS) if step > start)]


def reference(wrong, target):
    """The rule in its own words, for cases from sure to unsure without equal scores."""
    n = len(wrong)
    starts = sequence_starts(n, question(target))
    if not starts:
        return "too_few", 0, 0
    level, chosen, num_tested = 0.0, 0, 0
    for answered in sorted({*starts, *steps(n, starts[0])}):
        level += DELTA / len(starts) * (answered in starts)
        if level == 0.0:
            continue
        num_tested += 1
        if binom.cdf(wrong[:answered].sum(), answered, target) <= level:
            chosen = answered
        else:
            level = 0.0
    return "found" if chosen else "none", chosen, num_tested


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 800), power=st.integers(0, 4))
def test_it_does_what_its_definition_says(seed, n, power):
    rng = np.random.default_rng(seed)
    target = (0.02, 0.05, 0.2)[seed % 3]
    wrong = rng.random(n) < 10 * target * np.linspace(0, 1, n) ** power * rng.random()
    choice = fixed_sequence(falling(wrong), question(target))
    answered = choice.chosen.answered if choice.chosen else 0
    assert (choice.status, answered, choice.num_candidates) == reference(wrong, target)
    if choice.status == "found":
        assert choice.chosen.upper_limit <= target
        assert choice.chosen.answered >= choice.minimum_answered


def chosen_by_sequence(curve, candidates, asked, level):
    """Return how many a plain fixed sequence answers at one level, 0 if it finds nothing."""
    passed = p_values(curve, np.searchsorted(curve.answered, candidates), asked) <= level
    num_passed = len(passed) if passed.all() else int(passed.argmin())
    return candidates[num_passed - 1] if num_passed else 0


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(59, 800), power=st.integers(1, 4))
def test_levels_that_go_on_never_find_less_than_sequences_alone(seed, n, power):
    rng = np.random.default_rng(seed)
    curve = falling(rng.random(n) < 0.5 * np.linspace(0, 1, n) ** power)
    starts = sequence_starts(n, question())
    alone = max(
        chosen_by_sequence(
            curve, sorted({*steps(n, start), *starts[i:]}), question(), DELTA / len(starts)
        )
        for i, start in enumerate(starts)
    )
    assert answered(curve, question()) >= alone


def test_a_sequence_that_failed_has_nothing_left_and_a_later_start_only_its_own():
    # The first start passes. Then come 12 wrong at once: the next step fails, and so do the second
    # start and the third. With 15 wrong the fourth would pass at delta, not at a quarter of it.
    starts = sequence_starts(600, question())
    wrong = np.zeros(600, dtype=int)
    wrong[starts[0] : starts[0] + 12] = 1
    wrong[starts[2] : starts[2] + 3] = 1
    choice = fixed_sequence(falling(wrong), question())
    assert starts == (86, 160, 281, 495)
    assert DELTA / 4 < binom.cdf(15, 495, 0.05) <= DELTA
    assert (choice.status, choice.chosen.answered) == ("found", starts[0])
    # Tested were the first start, the step after it, and the three other starts.
    assert choice.num_candidates == 5
    # Everything answered would have passed at a quarter of delta: it was never tested.
    assert binom.cdf(15, 600, 0.05) <= DELTA / 4


def test_equal_scores_are_answered_together_and_merge_starts():
    wrong = np.arange(600) < 12
    together = fixed_sequence(risk_coverage_curve(np.zeros(600), wrong), question())
    assert (together.status, together.num_candidates) == ("found", 1)
    # All parts of delta begin at the one candidate there is.
    assert together.chosen.upper_limit == pytest.approx(
        EXACT.upper_limit(np.array([12]), np.array([600]), DELTA)[0], rel=1e-12
    )


def test_what_is_tested_does_not_depend_on_the_losses_while_all_passes():
    scores = np.sort(np.random.default_rng(0).integers(0, 30, 2_000))[::-1] / 30
    choices = [
        fixed_sequence(risk_coverage_curve(scores, np.arange(2_000) >= first_wrong), question())
        for first_wrong in (2_000, 1_990)
    ]
    assert [choice.chosen.answered for choice in choices] == [2_000] * 2
    assert len({(choice.num_candidates, choice.minimum_answered) for choice in choices}) == 1


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
