import numpy as np
import pytest

from pipeline.calibrators.ets import EnsembleTemperature, fit_ets
from pipeline.calibrators.softmax import log_softmax
from pipeline.calibrators.temperature import fit_temperature
from tests.calibrators.simulations import (
    draw_labels,
    mean_error,
    overconfident,
    random_logits,
)


def mixture(seed, n, *, temperature, weights):
    """Return logits, labels and the true log-probabilities behind these."""
    logits = random_logits(seed, n, spread=4.0)
    truth = EnsembleTemperature(temperature, weights)(logits)
    return logits, draw_labels(seed, truth), truth


def test_recovers_the_true_temperature_and_weights():
    logits, labels, _ = mixture(0, 50_000, temperature=3.0, weights=(0.5, 0.3, 0.2))
    fitted = fit_ets(logits, labels)
    # The two softmaxes look alike: their weights are known to about 0.03, the sum to 0.005.
    assert fitted.temperature == pytest.approx(3.0, rel=0.15)
    np.testing.assert_allclose(fitted.weights, [0.5, 0.3, 0.2], atol=0.1)
    assert fitted.weights[2] == pytest.approx(0.2, abs=0.02)


def test_finds_the_true_probabilities_where_one_temperature_cannot():
    # Weights known to 0.005 from 50,000 cases give probabilities known to 0.003.
    logits, labels, _ = mixture(1, 50_000, temperature=1.5, weights=(0.7, 0.0, 0.3))
    fresh, _, truth = mixture(2, 5_000, temperature=1.5, weights=(0.7, 0.0, 0.3))
    assert mean_error(fit_ets(logits, labels)(fresh), truth) < 0.005
    assert mean_error(fit_temperature(logits, labels)(fresh), truth) > 0.02


@pytest.mark.parametrize("truth", [0.5, 2.0])
def test_a_pure_temperature_is_recognised(truth):
    logits, labels = overconfident(3, 20_000, truth=truth)
    fresh, _ = overconfident(4, 2_000, truth=truth)
    error = mean_error(fit_ets(logits, labels)(fresh), log_softmax(fresh, truth))
    assert error < 0.005


def test_weights_are_a_distribution_with_no_part_quite_left_out():
    for labels in (np.zeros(50, dtype=int), np.arange(50) % 4):
        logits = random_logits(5, 50)
        weights = fit_ets(logits, labels).weights
        assert sum(weights) == pytest.approx(1.0, abs=1e-12)
        assert min(weights) >= 0.9e-6


def test_even_noise_keeps_the_predicted_class():
    logits = random_logits(6, 500)
    fitted = fit_ets(logits, np.random.default_rng(7).integers(0, 4, size=500))
    assert fitted.weights[2] > 0.5
    np.testing.assert_array_equal(fitted(logits).argmax(axis=1), logits.argmax(axis=1))
