import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.metrics.truth import truth_error


def test_is_the_mean_over_cases_and_classes():
    log_probabilities = np.log([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    truth = np.array([[0.6, 0.2, 0.2], [0.1, 0.1, 0.8]])
    assert truth_error(log_probabilities, truth) == pytest.approx((0.1 + 0.1 + 0.0) / 3 / 2)


def test_the_truth_has_no_error():
    truth = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    # exp(log p) is p but for the last place.
    assert truth_error(np.log(truth), truth) == pytest.approx(0, abs=1e-15)


def test_sees_a_calibrated_but_blind_model_which_ece_does_not():
    truth = np.array([[0.9, 0.1], [0.1, 0.9]] * 10)
    blind = np.log(np.full((20, 2), 0.5))
    assert truth_error(blind, truth) == pytest.approx(0.4)


def test_weights_count_cases():
    log_probabilities, truth = np.log([[0.5, 0.5]] * 2), np.array([[0.5, 0.5], [1.0, 0.0]])
    errors = truth_error(log_probabilities, truth, weights=np.array([[1.0, 1.0], [3.0, 1.0]]))
    np.testing.assert_allclose(errors, [0.5 / 2, 0.5 / 4])


def test_refuses_another_shape():
    with pytest.raises(InputError, match=r"got \(1, 3\) and \(1, 2\)"):
        truth_error(np.log([[0.5, 0.5]]), np.array([[0.2, 0.3, 0.5]]))
