import numpy as np
import pytest
from sklearn.metrics import log_loss

from pipeline.metrics.nll import nll


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    probabilities, labels = rng.dirichlet(np.ones(5), 100), rng.integers(0, 5, 100)
    expected = log_loss(labels, probabilities, labels=range(5))
    assert nll(np.log(probabilities), labels) == pytest.approx(expected)


def test_uniform_predictions_lose_the_logarithm_of_the_number_of_classes():
    assert nll(np.full((3, 7), -np.log(7)), np.array([0, 3, 6])) == pytest.approx(np.log(7))


def test_keeps_the_surprise_that_a_probability_would_round_to_zero():
    saturated = np.array([[0.0, -1000.0]], dtype=np.float32)
    assert nll(saturated, np.array([1])) == 1000.0


def test_is_infinite_only_where_an_impossible_case_counts():
    log_probabilities = np.array([[0.0, -np.inf], [np.log(0.5), np.log(0.5)]])
    weights = np.array([[1.0, 1.0], [0.0, 2.0]])
    values = nll(log_probabilities, np.array([1, 1]), weights=weights)
    np.testing.assert_allclose(values, [np.inf, np.log(2)])
