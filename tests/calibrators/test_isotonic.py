import numpy as np
import pytest

from pipeline.calibrators.isotonic import fit_isotonic
from pipeline.calibrators.softmax import log_softmax
from pipeline.calibrators.temperature import fit_temperature
from tests.calibrators.simulations import draw_labels, mean_error, random_logits


def bent(seed, n):
    """Two classes; the truth is a rising function of the logit that no temperature makes."""
    margins = random_logits(seed, n, num_classes=1)[:, 0]
    true_margins = np.where(margins > 0, 0.3 * margins, 2.0 * margins) + 0.5
    truth = log_softmax(np.stack([true_margins, np.zeros(n)], axis=1))
    return np.stack([margins, np.zeros(n)], axis=1), draw_labels(seed, truth), truth


def test_finds_the_true_probabilities_where_a_temperature_cannot():
    logits, labels, _ = bent(0, 20_000)
    fresh, _, truth = bent(1, 5_000)
    assert mean_error(fit_isotonic(logits, labels)(fresh), truth) < 0.02
    assert mean_error(fit_temperature(logits, labels)(fresh), truth) > 0.05


def test_pools_adjacent_violators_worked_out_by_hand():
    # Probabilities of class 0 are 0.2, 0.4, 0.6, 0.8; it is the label of the second and fourth.
    p = np.array([0.2, 0.4, 0.6, 0.8])
    logits = np.log(np.stack([p, 1 - p], axis=1))
    fitted = fit_isotonic(logits, np.array([1, 0, 1, 0]))
    # The second and third are out of order and pooled to 1/2; zeros are raised to 1/(4 * 2).
    middle = np.exp(fitted(logits[1:3]))
    np.testing.assert_allclose(middle, 0.5)
    ends = np.exp(fitted(logits[[0, 3]]))
    np.testing.assert_allclose(ends, np.array([[1 / 8, 1], [1, 1 / 8]]) / (9 / 8))


def test_is_level_beyond_the_calibration_cases():
    logits, labels, _ = bent(2, 300)
    far = np.array([[logits[:, 0].max(), 0.0], [logits[:, 0].max() + 50.0, 0.0]])
    log_p = fit_isotonic(logits, labels)(far)
    np.testing.assert_array_equal(log_p[0], log_p[1])


def test_no_class_is_ever_ruled_out():
    logits, labels, _ = bent(3, 50)
    fitted = fit_isotonic(10 * logits, logits.argmax(axis=1))
    assert np.exp(fitted(100 * logits)).min() == pytest.approx(0.01 / 1.01)
    assert fitted.floor == 1 / (50 * 2)
