import numpy as np

from pipeline.calibrators.bcts import fit_bcts
from pipeline.calibrators.softmax import log_softmax
from pipeline.calibrators.vector import fit_vector
from tests.calibrators.simulations import (
    draw_labels,
    mean_error,
    random_logits,
)

SLOPES, BIASES = np.array([0.3, 0.6, 0.9, 0.5]), np.array([0.5, -0.5, 0.2, -0.2])


def scaled(seed, n):
    """Return logits, labels and the true log-probabilities behind these."""
    logits = random_logits(seed, n, spread=3.0)
    truth = log_softmax(log_softmax(logits) * SLOPES + BIASES)
    return logits, draw_labels(seed, truth), truth


def test_recovers_the_true_slopes_and_biases():
    logits, labels, _ = scaled(0, 40_000)
    fitted = fit_vector(logits, labels)
    # Standard errors are about 0.01 for slopes and 0.03 for biases, known up to a constant.
    np.testing.assert_allclose(fitted.slopes, SLOPES, atol=0.04)
    biases = np.array(fitted.biases)
    np.testing.assert_allclose(biases - biases.mean(), BIASES - BIASES.mean(), atol=0.1)


def test_finds_the_true_probabilities_where_bcts_cannot():
    logits, labels, _ = scaled(1, 20_000)
    fresh, _, truth = scaled(2, 5_000)
    assert mean_error(fit_vector(logits, labels)(fresh), truth) < 0.01
    assert mean_error(fit_bcts(logits, labels)(fresh), truth) > 0.02
