import numpy as np
import pytest

from pipeline.calibrators.bcts import fit_bcts
from pipeline.calibrators.softmax import log_softmax
from tests.calibrators.simulations import draw_labels, overconfident, random_logits

BIASES = np.array([0.8, -0.5, 0.2, -0.5])


def biased(seed, n, *, temperature=2.0):
    """Labels follow softmax(logits / temperature + BIASES)."""
    logits = random_logits(seed, n, spread=4.0)
    return logits, draw_labels(seed, logits / temperature + BIASES)


def test_recovers_the_true_temperature_and_biases():
    fitted = fit_bcts(*biased(0, 20_000))
    # Standard errors are about 0.02 at 20,000 cases.
    assert fitted.temperature == pytest.approx(2.0, abs=0.08)
    np.testing.assert_allclose(fitted.biases, BIASES, atol=0.08)
    assert fitted.notes == ()


def test_the_mean_prediction_equals_the_labels_shares():
    logits, labels = biased(1, 500)
    # The biases' gradient is zero there, but for the prior: 0.8 nats / (500 cases * 10^2).
    np.testing.assert_allclose(
        np.exp(fit_bcts(logits, labels)(logits)).mean(axis=0),
        np.bincount(labels) / 500,
        atol=2e-5,
    )


def test_divides_and_then_adds():
    logits, labels = biased(2, 300)
    fitted = fit_bcts(logits, labels)
    expected = log_softmax(logits / fitted.temperature + np.array(fitted.biases))
    np.testing.assert_allclose(fitted(logits), expected, atol=1e-12)


def test_an_absent_class_is_reported_and_made_unlikely():
    logits, labels = overconfident(3, 200)
    fitted = fit_bcts(logits, np.where(labels == 3, 0, labels))
    assert fitted.notes == ("no calibration case of class 3",)
    assert np.exp(fitted(logits)[:, 3]).mean() < 0.01


def test_many_absent_classes_are_counted():
    logits, _ = overconfident(4, 30, num_classes=12)
    fitted = fit_bcts(logits, np.arange(30) % 2)
    assert "no calibration case of 10 of 12 classes" in fitted.notes
