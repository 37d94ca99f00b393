from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.risk_tests import RISK_TESTS
from pipeline.metrics.selective import risk_coverage_curve
from pipeline.metrics.threshold_choice import (
    Question,
    conclude,
    coverage_steps,
    minimum_answered,
    points_answering,
)

EXACT = RISK_TESTS["exact_binomial"]


@pytest.mark.parametrize(
    ("target", "delta", "expected"),
    [(0.05, 0.05, 59), (0.02, 0.05, 149), (0.01, 0.05, 299), (0.5, 0.25, 2), (0.999, 0.5, 1)],
)
def test_the_fewest_answers_are_those_whose_lack_of_errors_is_unlikely(target, delta, expected):
    assert minimum_answered(target, delta) == expected
    assert (1 - target) ** expected <= delta < (1 - target) ** (expected - 1)


@given(n=st.integers(1, 300), num_steps=st.integers(1, 60), levels=st.integers(1, 300))
def test_each_candidate_is_the_first_that_answers_its_share(n, num_steps, levels):
    scores = np.random.default_rng(n).integers(0, levels, n).astype(float)
    curve = risk_coverage_curve(scores, np.zeros(n))
    expected = {
        min(
            p for p, a in enumerate(curve.answered) if Fraction(int(a), n) >= Fraction(j, num_steps)
        )
        for j in range(1, num_steps + 1)
    }
    assert points_answering(curve, coverage_steps(n, num_steps)).tolist() == sorted(expected)


def test_scores_that_all_tie_are_one_candidate():
    curve = risk_coverage_curve(np.zeros(7), np.zeros(7))
    assert points_answering(curve, coverage_steps(7, 50)).tolist() == [0]


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.5, float("nan")])
@pytest.mark.parametrize("name", ["target", "delta"])
def test_refuses_a_question_without_an_answer(name, value):
    asked = {"target": 0.05, "delta": 0.05} | {name: value}
    with pytest.raises(InputError, match=rf"{name} must lie in \(0, 1\), got {value}"):
        Question(**asked, test=EXACT)


def test_a_conclusion_names_the_chosen_and_the_best_candidate():
    # 30 right, then 10 wrong, then 60 right: the second candidate is the one chosen, not the best.
    wrong = np.repeat([0, 1, 0], [30, 10, 60])
    curve = risk_coverage_curve(np.linspace(1, 0, 100), wrong)
    question = Question(0.4, 0.05, EXACT)
    answer = conclude(question, curve, [29, 39, 99], 39, level=0.01, fewest=10)
    assert (answer.status, answer.num_candidates) == ("found", 3)
    assert answer.threshold == curve.thresholds[39]
    assert (answer.chosen.answered, answer.chosen.wrong) == (40, 10)
    assert (answer.best.answered, answer.best.wrong) == (30, 0)
    assert answer.best.upper_limit == pytest.approx(1 - 0.01 ** (1 / 30), rel=1e-12)
    assert answer.minimum_answered == 10
    assert answer.num_cases == 100


def test_each_candidate_has_the_limit_of_its_own_level():
    curve = risk_coverage_curve(np.linspace(1, 0, 100), np.zeros(100))
    levels = np.array([0.01, 0.04])
    answer = conclude(Question(0.4, 0.05, EXACT), curve, [19, 24], 24, level=levels, fewest=10)
    assert answer.chosen.upper_limit == pytest.approx(1 - 0.04 ** (1 / 25), rel=1e-12)
    strict = conclude(Question(0.4, 0.05, EXACT), curve, [19, 24], 19, level=levels, fewest=10)
    assert strict.chosen.upper_limit == pytest.approx(1 - 0.01 ** (1 / 20), rel=1e-12)


def test_without_candidates_there_were_too_few_cases():
    curve = risk_coverage_curve(np.array([0.5]), np.array([0]))
    answer = conclude(Question(0.05, 0.05, EXACT), curve, (), None, level=0.05, fewest=59)
    assert (answer.status, answer.threshold, answer.best) == ("too_few", None, None)
