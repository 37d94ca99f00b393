import itertools

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calibrators.softmax import (
    BLOCK_ELEMENTS,
    confidence_log_odds,
    exponential_moments,
    highest_logits,
    log_softmax,
    row_blocks,
)
from tests.calibrators.simulations import random_logits


@pytest.mark.parametrize(("num_rows", "num_columns"), [(0, 3), (1, 3), (70_000, 2), (3, 10**6)])
def test_blocks_cover_every_row_once(num_rows, num_columns):
    blocks = list(row_blocks(num_rows, num_columns))
    rows = [row for block in blocks for row in range(block.start, block.stop)]
    assert rows == list(range(num_rows))
    height = max(1, BLOCK_ELEMENTS // num_columns)
    assert all(block.stop - block.start <= height for block in blocks)


@pytest.mark.parametrize("num_classes", [2, 7, 300])
def test_log_softmax_agrees_with_scipy(num_classes):
    logits = random_logits(0, 500, num_classes=num_classes)
    temperatures = np.linspace(0.1, 5.0, 500)
    expected = scipy.special.log_softmax(logits / temperatures[:, None], axis=1)
    np.testing.assert_allclose(log_softmax(logits, temperatures), expected, rtol=1e-12, atol=1e-14)


def test_log_softmax_is_finite_for_margins_of_any_size():
    np.testing.assert_array_equal(log_softmax(np.array([[1e8, -1e8]]), 0.05), [[0.0, -2e8 / 0.05]])


def test_log_odds_are_those_of_the_largest_probability():
    logits = random_logits(1, 1_000)
    confidence = scipy.special.softmax(logits, axis=1).max(axis=1)
    np.testing.assert_allclose(
        confidence_log_odds(logits), scipy.special.logit(confidence), rtol=1e-9, atol=1e-12
    )


@given(st.lists(st.floats(0.0, 60.0), min_size=2, max_size=30))
def test_log_odds_order_cases_exactly_as_confidence_does(margins):
    logits = np.zeros((len(margins), 3))
    logits[:, 0] = margins
    log_confidence = log_softmax(logits).max(axis=1)
    _, by_confidence = np.unique(log_confidence, return_inverse=True)
    _, by_log_odds = np.unique(confidence_log_odds(logits), return_inverse=True)
    np.testing.assert_array_equal(by_log_odds, by_confidence)


def test_moments_are_the_sums_they_claim_to_be():
    logits = random_logits(2, 40)
    cases, inverse = np.array([3, 17, 39]), np.array([0.5, 1.0, 2.0])
    gaps = logits[cases] - logits[cases].max(axis=1, keepdims=True)
    expected = [(gaps**m * np.exp(inverse[:, None] * gaps)).sum(axis=1) for m in range(3)]
    found = exponential_moments(logits, highest_logits(logits), cases, inverse, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("num_classes", [2, 64, 65, 200])
def test_highest_logits_are_the_largest_of_each_row(num_classes):
    logits = random_logits(3, 50, num_classes=num_classes)
    np.testing.assert_array_equal(highest_logits(logits), logits.max(axis=1))


@pytest.mark.parametrize("temperature", [1.0, 1.0382499115582957, 0.37, 7.1])
def test_cases_as_sure_of_another_class_tie_at_every_temperature(temperature):
    # 0.9 of one class and 0.1 of the others: summed from left to right they differ by a last bit.
    shares = np.array([0.9, 0.05, 0.03, 0.02])
    rows = np.log([shares[list(order)] for order in itertools.permutations(range(4))])
    assert len(np.unique(log_softmax(rows, temperature).max(axis=1))) == 1
    assert len(np.unique(confidence_log_odds(rows))) == 1
