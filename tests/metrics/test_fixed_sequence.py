"""That the rule keeps its promise and finds what others find is proved by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.metrics.fixed_sequence import fixed_sequence, sequence_starts
from pipeline.metrics.risk_tests import RISK_TESTS
from pipeline.metrics.selective import risk_coverage_curve
from pipeline.metrics.threshold_choice import Question, minimum_answered
from tests.metrics.other_rules import bonferroni, chosen_by_sequence, four_starts, one_start, steps

DELTA = 0.05
EXACT, BOUNDED = RISK_TESTS["exact_binomial"], RISK_TESTS["hoeffding_bentkus"]


def question(target=0.05, delta=DELTA, test=EXACT):
    return Question(target, delta, test)


def falling(wrong):
    """Return the curve of cases that are sorted from sure to unsure, none of equal score."""
    return risk_coverage_curve(np.linspace(1, 0, len(wrong)), wrong)


def answered(curve, asked):
    """Return how many cases the rule answers, 0 if it finds nothing."""
    choice = fixed_sequence(curve, asked)
    return choice.chosen.answered if choice.chosen else 0


RULES = {
    "fixed_sequence": answered,
    "bonferroni": bonferroni,
    "one start": one_start,
    "four starts": four_starts,
}

# By the share u of surer cases, the chance of an error in units of the target.
ERROR_RATES = {
    "surest quarter safe": lambda u: np.where(u < 0.25, 0.2, 4.0),
    "surest tenth safe": lambda u: np.where(u < 0.1, 0.2, 4.0),
    "falling smoothly": lambda u: 10 * u**2,
    "hardly too high everywhere": lambda u: np.full_like(u, 1.02),
    "surest fiftieth wrong": lambda u: np.where(u < 0.02, 4.0, 0.5),
}
FINE = (np.arange(100_000) + 0.5) / 100_000


def simulate(n, target, regime, *, draws):
    """Return by rule what share of draws found a threshold, the mean coverage, the violations.

    Every rule sees the same draws. The true selective risk at coverage c is the mean error rate of
    the cases with u < c; a violation is a threshold of a true risk above the target.
    """
    rng = np.random.default_rng([n, int(1000 * target), *regime.encode()])
    rate = ERROR_RATES[regime]
    true_risk = np.cumsum(target * rate(FINE)) / np.arange(1, len(FINE) + 1)
    answers = {rule: np.zeros((draws, 2)) for rule in RULES}
    for draw in range(draws):
        u = np.sort(rng.random(n))
        curve = risk_coverage_curve(1 - u, rng.random(n) < target * rate(u))
        for rule, choose in RULES.items():
            if answered := choose(curve, question(target)):
                coverage = u[answered - 1]
                risk = true_risk[int(coverage * len(FINE))]
                answers[rule][draw] = coverage, risk > target
    return {
        rule: ((rows[:, 0] > 0).mean(), rows[:, 0].mean(), rows[:, 1].mean())
        for rule, rows in answers.items()
    }


def allowed(draws):
    """Return the 99.9 % quantile of the share of violations if each has probability delta."""
    return binom.ppf(0.999, draws, DELTA) / draws


def require_promise_and_power(n, target, regime, *, draws):
    told = simulate(n, target, regime, draws=draws)
    found, coverage, violations = told["fixed_sequence"]
    assert violations <= allowed(draws)
    assert found >= max(told["one start"][0], told["bonferroni"][0]) - 0.05
    assert coverage >= max(told["one start"][1], told["bonferroni"][1]) - 0.05
    return told


@pytest.mark.parametrize("regime", ["surest quarter safe", "falling smoothly"])
@pytest.mark.parametrize("n", [300, 1_000])
def test_it_finds_what_the_better_of_one_start_and_bonferroni_finds(n, regime):
    told = require_promise_and_power(n, 0.05, regime, draws=2_000)
    # Two shares of 2,000 draws of the same data: their difference is known to about 1 %.
    assert told["fixed_sequence"][0] >= told["four starts"][0] - 0.05


@pytest.mark.slow
@pytest.mark.parametrize("regime", ["surest quarter safe", "falling smoothly"])
@pytest.mark.parametrize("target", [0.02, 0.05])
@pytest.mark.parametrize("n", [300, 1_000, 10_000])
def test_in_1000_draws_it_finds_what_the_better_of_one_start_and_bonferroni_finds(
    n, target, regime
):
    require_promise_and_power(n, target, regime, draws=1_000)


@pytest.mark.slow
def test_in_10000_cases_a_safe_tenth_is_found_that_neither_finds_at_1_percent():
    told = require_promise_and_power(10_000, 0.01, "surest tenth safe", draws=500)
    assert told["fixed_sequence"][0] >= told["four starts"][0] + 0.1
    assert told["four starts"][0] > told["bonferroni"][0] > told["one start"][0]


@pytest.mark.slow
@pytest.mark.parametrize("regime", ERROR_RATES)
@pytest.mark.parametrize(("n", "target"), [(100, 0.05), (300, 0.1), (1_000, 0.02), (3_000, 0.01)])
def test_in_2000_draws_the_true_risk_exceeds_the_target_in_at_most_delta(n, target, regime):
    *_, violations = simulate(n, target, regime, draws=2_000)["fixed_sequence"]
    assert violations <= allowed(2_000)


def test_thresholds_that_are_all_hardly_unsafe_are_seldom_found():
    found, _, violations = simulate(300, 0.05, "hardly too high everywhere", draws=400)[
        "fixed_sequence"
    ]
    assert violations == found <= allowed(400)


def test_wrong_answers_among_the_surest_do_not_end_the_search():
    told = simulate(1_000, 0.05, "surest fiftieth wrong", draws=200)
    # 20 of the surest cases are wrong in one of five, the rest in 2.5 %: all may be answered.
    assert told["fixed_sequence"][0] > 0.7
    assert told["one start"][0] < 0.4


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


def test_59_right_answers_are_just_enough_for_5_percent():
    choice = fixed_sequence(falling(np.zeros(59)), question())
    assert (choice.status, choice.chosen.answered, choice.minimum_answered) == ("found", 59, 59)
    short = fixed_sequence(falling(np.zeros(58)), question())
    assert (short.status, short.num_candidates, short.minimum_answered) == ("too_few", 0, 59)
