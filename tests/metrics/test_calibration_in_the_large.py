import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metrics.calibration_in_the_large import (
    calibration_in_the_large,
    calibration_in_the_large_by_class,
    confidence_gap,
)


@given(seed=st.integers(0, 2**32 - 1), num_classes=st.integers(2, 6))
def test_is_the_mean_prediction_less_the_share_of_each_class(seed, num_classes):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(num_classes), 20)
    labels = rng.integers(0, num_classes, 20)
    shares = np.bincount(labels, minlength=num_classes) / 20
    bias = calibration_in_the_large_by_class(np.log(probabilities), labels)
    np.testing.assert_allclose(bias, probabilities.mean(axis=0) - shares, atol=1e-14)
    assert bias.sum() == pytest.approx(0, abs=1e-12)
    assert calibration_in_the_large(np.log(probabilities), labels) == np.abs(bias).max()


def test_moving_the_prior_moves_the_bias():
    labels = np.array([0, 0, 0, 1])
    log_probabilities = np.log([[0.5, 0.5]] * 4)
    np.testing.assert_allclose(
        calibration_in_the_large_by_class(log_probabilities, labels), [0.5 - 0.75, 0.5 - 0.25]
    )


@pytest.mark.parametrize(
    ("confidence", "correct", "expected"),
    [([1.0], [0], 1.0), ([1.0], [1], 0.0), ([0.0], [1], -1.0), ([0.75, 0.25], [1, 1], -0.5)],
)
def test_the_gap_has_the_sign_of_over_confidence(confidence, correct, expected):
    assert confidence_gap(np.array(confidence), np.array(correct)) == expected
