import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calibrators import rank_inversions
from pipeline.errors import InputError


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=60))
def test_counts_every_discordant_pair_and_no_tie(pairs):
    before, after = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    by_hand = sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for i, a in enumerate(pairs) for b in pairs[:i])
    assert rank_inversions(before, after) == by_hand


def test_agrees_with_kendalls_tau():
    generator = np.random.default_rng(0)
    before, after = generator.normal(size=(2, 5_000))
    # Without ties tau = 1 - 4 D / (n (n - 1)).
    tau = scipy.stats.kendalltau(before, after).statistic
    num_pairs = 5_000 * 4_999 / 2
    assert rank_inversions(before, after) == round((1 - tau) / 2 * num_pairs)


def test_bounds_are_kept_order_and_reversed_order():
    scores = np.random.default_rng(1).normal(size=1_000)
    assert rank_inversions(scores, np.exp(scores)) == 0
    assert rank_inversions(scores, -scores) == 1_000 * 999 // 2


@pytest.mark.parametrize("n", [0, 1])
def test_no_pair_no_inversion(n):
    assert rank_inversions(np.zeros(n), np.zeros(n)) == 0


def test_refuses_lists_of_different_length():
    with pytest.raises(InputError, match="one row a case expected, got before 2, after 3"):
        rank_inversions(np.zeros(2), np.zeros(3))
