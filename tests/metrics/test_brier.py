import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from pipeline.metrics.brier import brier


def test_is_twice_scikit_learns_for_two_classes_because_it_sums_over_both():
    rng = np.random.default_rng(0)
    positive, labels = rng.random(100), rng.integers(0, 2, 100)
    both = np.log(np.column_stack([1 - positive, positive]))
    assert brier(both, labels) == pytest.approx(2 * brier_score_loss(labels, positive))


@given(seed=st.integers(0, 2**32 - 1), num_classes=st.integers(2, 6))
def test_is_the_squared_distance_to_the_one_hot_label(seed, num_classes):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(num_classes, 0.2) + 1e-3, 20)
    labels = rng.integers(0, num_classes, 20)
    expected = np.mean(np.sum((probabilities - np.eye(num_classes)[labels]) ** 2, axis=1))
    with np.errstate(divide="ignore"):
        assert brier(np.log(probabilities), labels) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(("label", "expected"), [(0, 0.0), (1, 2.0)])
def test_certainty_scores_the_ends_of_the_range(label, expected):
    assert brier(np.array([[0.0, -np.inf]]), np.array([label])) == expected
