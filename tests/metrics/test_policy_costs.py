import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.policy_costs import policy_costs

RATIOS = np.array([0.0, 1.0, 20.0])


def test_costs_by_hand():
    # Ten cases: seven answered, one of them wrong; two of the three referred would be wrong.
    answered = np.arange(10) < 7
    wrong = np.isin(np.arange(10), [0, 8, 9])
    costs = policy_costs(answered, wrong, RATIOS)
    np.testing.assert_allclose(costs["model"], [300, 300 + 100, 300 + 20 * 100])
    np.testing.assert_allclose(costs["refer_all"], [1000, 1000, 1000])
    np.testing.assert_allclose(costs["answer_all"], [0, 300, 20 * 300])
    np.testing.assert_allclose(costs["refer_at_random"], 300 + RATIOS * 0.7 * 300)


@given(seed=st.integers(0, 2**32 - 1))
def test_a_weight_is_the_same_as_that_many_repeats(seed):
    rng = np.random.default_rng(seed)
    answered, wrong = rng.random((2, 30)) < 0.5
    rows = rng.integers(0, 3, size=(4, 30))
    together = policy_costs(answered, wrong, RATIOS, weights=rows)
    for place, row in enumerate(rows):
        alone = policy_costs(np.repeat(answered, row), np.repeat(wrong, row), RATIOS)
        for policy, costs in alone.items():
            np.testing.assert_allclose(together[policy][place], costs, rtol=1e-12)


@pytest.mark.parametrize(("answers", "same_as"), [(True, "answer_all"), (False, "refer_all")])
def test_answering_all_or_none_are_the_ends(answers, same_as):
    wrong = np.array([True, False, False])
    costs = policy_costs(np.full(3, answers), wrong, RATIOS)
    np.testing.assert_allclose(costs["model"], costs[same_as])
    np.testing.assert_allclose(costs["refer_at_random"], costs[same_as])


@pytest.mark.parametrize(
    ("answered", "ratios", "message"),
    [
        ([True, True], [-1.0], r"a wrong answer must be worth at least 0 referrals, got -1\.0"),
        ([True], [1.0], "one row a case expected, got answered 1, wrong 2"),
    ],
)
def test_refuses_costs_that_cannot_be(answered, ratios, message):
    with pytest.raises(InputError, match=message):
        policy_costs(np.array(answered), np.array([True, False]), np.array(ratios))


def test_refuses_to_cost_nobody():
    with pytest.raises(InputError, match="at least one case, got none"):
        policy_costs(np.zeros(0, bool), np.zeros(0, bool), RATIOS)
