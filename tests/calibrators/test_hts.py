import numpy as np
import pytest
import scipy.stats
from scipy.special import softmax

from pipeline.calibrators.hts import EntropyTemperature, fit_hts, log_normalised_entropy
from tests.calibrators.simulations import draw_labels, overconfident, random_logits


def entropic(seed, n, *, intercept, slope):
    logits = random_logits(seed, n, spread=3.0)
    temperatures = np.exp(intercept + slope * log_normalised_entropy(logits))
    return logits, draw_labels(seed, logits / temperatures[:, None])


@pytest.mark.parametrize(("intercept", "slope"), [(0.5, 0.2), (0.3, -0.2), (-0.4, 0.0)])
def test_recovers_the_true_line(intercept, slope):
    fitted = fit_hts(*entropic(0, 20_000, intercept=intercept, slope=slope))
    # Their standard errors are about 0.02 and 0.01 at 20,000 cases.
    assert fitted.intercept == pytest.approx(intercept, abs=0.06)
    assert fitted.slope == pytest.approx(slope, abs=0.03)
    assert fitted.notes == ()


def test_entropy_agrees_with_scipy():
    logits = random_logits(1, 200, num_classes=6)
    expected = np.log(scipy.stats.entropy(softmax(logits, axis=1), axis=1) / np.log(6))
    np.testing.assert_allclose(log_normalised_entropy(logits), expected, rtol=1e-10)


def test_entropy_of_a_one_hot_softmax_is_not_minus_infinity():
    assert log_normalised_entropy(np.array([[1e4, 0.0]]))[0] == pytest.approx(-30.0)


def test_no_slope_is_plain_temperature_scaling():
    logits = random_logits(2, 50)
    np.testing.assert_allclose(
        EntropyTemperature(np.log(2.0), 0.0)(logits),
        np.log(softmax(logits / 2.0, axis=1)),
        rtol=1e-12,
    )


def test_temperatures_at_a_bound_are_counted():
    logits, _ = overconfident(3, 100)
    fitted = fit_hts(logits, logits.argmin(axis=1))
    assert any("temperature at its bound 20 in" in note for note in fitted.notes)
