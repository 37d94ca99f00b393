import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from pipeline.metrics.accuracy import accuracy, balanced_accuracy, macro_f1


def predictions(seed, n=200, num_classes=4):
    rng = np.random.default_rng(seed)
    log_probabilities = np.log(rng.dirichlet(np.ones(num_classes), n))
    guided = rng.random(n) < 0.5
    labels = np.where(guided, log_probabilities.argmax(1), rng.integers(num_classes, size=n))
    return log_probabilities, labels


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30))
def test_agrees_with_scikit_learn_also_where_classes_are_absent(seed, n):
    log_probabilities, labels = predictions(seed, n, num_classes=5)
    predicted = log_probabilities.argmax(1)
    # Recalls by hand: scikit-learn warns of predicted classes that no label names.
    recalls = [np.mean(predicted[labels == k] == k) for k in np.unique(labels)]
    assert accuracy(log_probabilities, labels) == pytest.approx(accuracy_score(labels, predicted))
    assert balanced_accuracy(log_probabilities, labels) == pytest.approx(np.mean(recalls))
    assert macro_f1(log_probabilities, labels) == pytest.approx(
        f1_score(labels, predicted, average="macro")
    )


def test_balanced_accuracy_agrees_with_scikit_learn():
    log_probabilities, labels = predictions(seed=0)
    assert balanced_accuracy(log_probabilities, labels) == pytest.approx(
        balanced_accuracy_score(labels, log_probabilities.argmax(1))
    )


@pytest.mark.parametrize(
    ("probabilities", "labels", "expected"),
    [
        ([[0.9, 0.1]], [0], (1.0, 1.0, 1.0)),
        ([[0.9, 0.1]], [1], (0.0, 0.0, 0.0)),
        # All called 0 of which 3 of 4 are: recalls 1 and 0, F1 of 2 * 3 / (4 + 3) and 0.
        ([[0.9, 0.1]] * 4, [0, 0, 0, 1], (3 / 4, 1 / 2, (6 / 7) / 2)),
        # Class 2 neither occurs nor is predicted, class 1 is predicted only.
        ([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]], [0, 0], (1 / 2, 1 / 2, (2 / 3 + 0) / 2)),
    ],
    ids=["one case right", "one case wrong", "one class predicted", "an absent class"],
)
def test_edges_by_hand(probabilities, labels, expected):
    arguments = np.log(probabilities), np.array(labels)
    values = accuracy(*arguments), balanced_accuracy(*arguments), macro_f1(*arguments)
    assert values == pytest.approx(expected)


def test_a_resample_without_a_class_averages_the_others():
    log_probabilities = np.log([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])
    weights = np.array([[1.0, 1.0, 1.0], [2.0, 1.0, 0.0]])
    # Recalls 1/2 (labels 0: one of two right) and 0 of the one labelled 1; then 2/3 alone.
    values = balanced_accuracy(log_probabilities, np.array([0, 1, 0]), weights=weights)
    np.testing.assert_allclose(values, [(1 / 2 + 0) / 2, (1 + 0) / 2])
