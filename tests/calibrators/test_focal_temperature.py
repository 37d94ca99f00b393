import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from pipeline.calibrators.focal_temperature import (
    FocalTemperature,
    fit_focal_temperature,
    focal_map,
)
from tests.calibrators.simulations import draw_labels, overconfident, random_logits


def hidden_by_focal_loss(posterior, gamma):
    """The prediction of least focal risk where labels follow the posterior, found by descent."""

    def risk(logits):
        p = softmax(logits)
        return -(posterior * (1 - p) ** gamma * np.log(p)).sum()

    return softmax(minimize(risk, np.log(posterior), tol=1e-12).x)


@pytest.mark.parametrize("gamma", [1.0, 3.0])
@pytest.mark.parametrize("posterior", [(0.7, 0.3), (0.6, 0.3, 0.1), (0.25, 0.25, 0.25, 0.25)])
def test_recovers_the_posterior_that_the_focal_loss_hides(posterior, gamma):
    predicted = hidden_by_focal_loss(np.array(posterior), gamma)
    # The search for the least risk stops at about the root of the rounding error.
    np.testing.assert_allclose(
        np.exp(focal_map(np.log([predicted]), gamma))[0], posterior, atol=2e-5
    )


def test_gamma_zero_is_plain_temperature_scaling():
    logits = random_logits(1, 50)
    expected = log_softmax(logits / 2.0, axis=1)
    np.testing.assert_allclose(FocalTemperature(2.0, 0.0)(logits), expected, rtol=1e-12)


@pytest.mark.parametrize(("temperature", "gamma"), [(2.0, 1.0), (3.0, 3.0)])
def test_recovers_the_truth_on_many_cases(temperature, gamma):
    logits = random_logits(2, 20_000, spread=6.0)
    truth = FocalTemperature(temperature, gamma)
    labels = draw_labels(2, truth(logits))
    fitted = fit_focal_temperature(logits, labels)
    # T and gamma trade off against each other; what they give together is sharp.
    np.testing.assert_allclose(np.exp(fitted(logits)), np.exp(truth(logits)), atol=0.02)


def test_is_surer_than_what_it_maps_and_keeps_its_order():
    log_p = log_softmax(random_logits(3, 200), axis=1)
    mapped = focal_map(log_p, 2.0)
    assert (mapped.max(axis=1) > log_p.max(axis=1)).all()
    np.testing.assert_array_equal(mapped.argsort(axis=1), log_p.argsort(axis=1))


def test_says_when_a_value_is_at_its_bound():
    logits, _ = overconfident(4, 100)
    assert (
        "temperature at its bound 20" in fit_focal_temperature(logits, logits.argmin(axis=1)).notes
    )
