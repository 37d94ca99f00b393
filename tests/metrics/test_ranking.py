import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.ranking import BLOCK_ELEMENTS, multiplicity_blocks, rank

tied_scores = st.lists(st.integers(0, 4), min_size=1, max_size=12)


@given(tied_scores)
def test_sums_run_over_all_cases_that_score_at_least_the_threshold(scores):
    scores = np.array(scores, dtype=float)
    values = np.arange(len(scores)) ** 2
    ranking = rank(scores)
    expected = [values[scores >= threshold].sum() for threshold in ranking.scores]
    np.testing.assert_array_equal(ranking.cumulate(values), expected)


@given(tied_scores)
def test_each_distinct_score_appears_once_highest_first(scores):
    assert rank(np.array(scores, dtype=float)).scores.tolist() == sorted(set(scores), reverse=True)


def test_equal_scores_keep_the_order_they_came_in():
    assert rank(np.array([0.5, 0.9, 0.5, 0.9])).order.tolist() == [1, 3, 0, 2]


def test_minus_zero_ties_with_zero():
    assert len(rank(np.array([0.0, -0.0])).scores) == 1


def test_each_row_of_weights_is_summed_on_its_own():
    ranking = rank(np.array([0.1, 0.3, 0.2]))
    rows = np.array([[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(ranking.cumulate(rows), [[2, 5, 6], [5, 11, 15]])


def test_small_integer_weights_do_not_overflow_when_summed():
    assert rank(np.arange(300.0)).cumulate(np.ones(300, dtype=np.int8))[-1] == 300


def test_no_weights_count_each_case_once():
    (block,) = multiplicity_blocks(None, num_cases=3)
    np.testing.assert_array_equal(block, [[1, 1, 1]])


def test_blocks_together_hold_every_resample_in_order():
    num_cases = BLOCK_ELEMENTS // 2
    weights = np.ones((5, num_cases), dtype=np.int8) * np.arange(1, 6, dtype=np.int8)[:, None]
    blocks = list(multiplicity_blocks(weights, num_cases=num_cases))
    assert [len(block) for block in blocks] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(blocks), weights)


def test_whole_numbers_held_as_floats_are_accepted():
    (block,) = multiplicity_blocks(np.array([0.0, 2.0]), num_cases=2)
    assert block.dtype.kind == "i"
    np.testing.assert_array_equal(block, [[0, 2]])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.array([1.0, 0.5]), "weights must be whole numbers of cases, got a fraction"),
        (np.array([1, -1]), "weights must be at least 0, got -1"),
        (np.array([[1, 0], [0, 0]]), "at least one case in every resample, got none"),
        (np.array([1, 1, 1]), r"weights must be \(2,\) or \(resamples, 2\), got \(3,\)"),
        (np.ones((1, 1, 2)), r"got \(1, 1, 2\)"),
    ],
)
def test_refuses_weights_that_count_no_cases(weights, message):
    with pytest.raises(InputError, match=message):
        list(multiplicity_blocks(weights, num_cases=2))
