import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.metrics.cases import prepare_cases

ROW = np.log([[0.5, 0.5]])


def test_losses_mark_the_wrong_cases():
    cases = prepare_cases(np.log([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1]))
    np.testing.assert_array_equal(cases.losses, [0.0, 1.0])
    np.testing.assert_array_equal(cases.correct, [True, False])


def test_takes_float32_softmax_over_many_classes():
    logits = np.random.default_rng(0).normal(0, 5, (50, 1000)).astype(np.float32)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    assert prepare_cases(log_probabilities, np.zeros(50, int)).log_probabilities.dtype == np.float64


def test_takes_a_probability_of_zero():
    assert prepare_cases(np.array([[0.0, -np.inf]]), np.array([1])).losses == 1.0


@pytest.mark.parametrize(
    ("log_probabilities", "labels", "message"),
    [
        (ROW, np.array([0, 1]), "log_probabilities 1, labels 2"),
        (np.zeros((0, 2)), np.zeros(0, int), "at least one case"),
        (np.zeros((1, 1)), np.array([0]), r"two classes or more, got shape \(1, 1\)"),
        (np.zeros(3), np.zeros(3, int), r"two classes or more, got shape \(3,\)"),
        (ROW, np.array([2]), r"labels must lie in \[0, 2\), got 2\.\.2"),
        (np.array([[3.0, 1.0]]), np.array([0]), r"1 of 1 rows otherwise, first row 0 \(sum 22"),
        (np.array([[1e5, -1e5]]), np.array([0]), "were these logits"),
        (np.array([[np.inf, 0.0]]), np.array([0]), "1 of 1 rows otherwise"),
        (np.vstack([ROW, [[np.nan, 0.0]]]), np.array([0, 0]), "1 of 2 rows otherwise, first row 1"),
    ],
)
def test_refuses_what_is_no_prediction(log_probabilities, labels, message):
    with pytest.raises(InputError, match=message):
        prepare_cases(log_probabilities, labels)


@pytest.mark.parametrize(
    "labels", [np.array([0.0, 1.0]), np.array([0, 1], dtype=object), np.array([[0], [1]])]
)
def test_refuses_labels_that_are_no_whole_numbers(labels):
    with pytest.raises(InputError, match="labels must be whole numbers, one a case, got"):
        prepare_cases(np.log(np.full((2, 2), 0.5)), labels)
