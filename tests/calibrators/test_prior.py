import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calibrators.prior import fit_prior, mean_prediction
from pipeline.calibrators.softmax import log_softmax
from pipeline.calibrators.temperature import fit_temperature
from pipeline.errors import InputError
from tests.calibrators.simulations import (
    draw_labels,
    expected_calibration_error,
    mean_error,
    overconfident,
    random_logits,
)

BIASES = np.array([1.0, -0.6, 0.3, -0.7])


def drifted(seed, n, *, temperature=1.0):
    """Return logits whose class biases are missing, labels, and the truth behind these."""
    logits = random_logits(seed, n)
    truth = log_softmax(logits + BIASES)
    return temperature * logits, draw_labels(seed, truth), truth


def test_recovers_the_missing_biases():
    logits, labels, _ = drifted(0, 50_000)
    # Standard errors are about 0.01.
    np.testing.assert_allclose(fit_prior(logits, labels).biases, BIASES, atol=0.05)


def test_finds_the_true_probabilities_of_fresh_cases():
    logits, labels, _ = drifted(1, 20_000)
    fresh, _, truth = drifted(2, 2_000)
    assert mean_error(log_softmax(fresh), truth) > 0.05
    assert mean_error(fit_prior(logits, labels)(fresh), truth) < 0.005


@given(
    seed=st.integers(0, 2**32 - 1),
    parts=st.lists(st.floats(0.05, 1.0), min_size=4, max_size=4),
)
def test_the_mean_prediction_equals_any_stated_prevalence(seed, parts):
    logits, labels = overconfident(seed, 80)
    prevalence = np.array(parts) / sum(parts)
    fitted = fit_prior(logits, labels, prevalence=prevalence.tolist())
    np.testing.assert_allclose(mean_prediction(fitted(logits)), prevalence, atol=1e-6)
    assert sum(fitted.biases) == pytest.approx(0.0, abs=1e-9)


def test_the_mean_prediction_equals_the_labels_shares_by_default():
    logits, labels = overconfident(3, 500)
    fitted = fit_prior(logits, labels)
    shares = np.bincount(labels) / 500
    np.testing.assert_allclose(mean_prediction(fitted(logits)), shares, atol=1e-6)
    np.testing.assert_allclose(fitted.prevalence, shares)


@pytest.mark.parametrize("then", ["temperature", "ats"])
def test_what_follows_mends_confidence_as_well(then):
    logits, labels, _ = drifted(4, 20_000, temperature=2.0)
    fresh, fresh_labels, _ = drifted(5, 20_000, temperature=2.0)
    alone = fit_prior(logits, labels)
    followed = fit_prior(logits, labels, then=then)
    assert expected_calibration_error(alone(fresh), fresh_labels) > 0.08
    assert expected_calibration_error(followed(fresh), fresh_labels) < 0.02


def test_what_follows_sees_the_corrected_logits():
    logits, labels, _ = drifted(6, 500)
    fitted = fit_prior(logits, labels, then="temperature")
    corrected = log_softmax(log_softmax(logits) + np.array(fitted.biases))
    expected = fit_temperature(corrected, labels)
    assert fitted.then.temperature == pytest.approx(expected.temperature, rel=1e-6)


def test_another_prevalence_does_not_mislead_the_temperature():
    logits, labels, _ = drifted(7, 5_000, temperature=2.0)
    at_home = fit_prior(logits, labels, then="temperature")
    elsewhere = fit_prior(logits, labels, prevalence=[0.05, 0.05, 0.1, 0.8], then="temperature")
    assert elsewhere.then.temperature == pytest.approx(at_home.then.temperature, rel=1e-6)
    assert elsewhere.biases != at_home.biases


def test_a_class_without_a_case_keeps_half_a_case():
    logits, labels = overconfident(8, 100)
    fitted = fit_prior(logits, np.where(labels == 3, 0, labels))
    assert fitted.prevalence[3] == pytest.approx(0.5 / 100.5)
    assert fitted.notes == ("no calibration case of class 3",)


def test_a_prevalence_out_of_reach_is_reported():
    saturated = np.array([[1e4, 0.0]] * 9 + [[0.0, 1e4]])
    fitted = fit_prior(saturated, np.array([0, 1] * 5))
    assert fitted.notes == (
        "mean prediction of class 0 is 0.9000, not 0.5000: its bias is at its bound",
        "mean prediction of class 1 is 0.1000, not 0.5000: its bias is at its bound",
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"prevalence": [0.5, 0.5]}, "prevalence must be 4 positive shares that sum to 1"),
        ({"prevalence": [0.5, 0.5, 0.1, 0.1]}, "prevalence must be 4 positive shares"),
        ({"prevalence": [0.5, 0.5, 0.0, 0.0]}, "prevalence must be 4 positive shares"),
        ({"prevalence": [1.5, -0.5, 0.5, -0.5]}, "prevalence must be 4 positive shares"),
        ({"prevalence": "target"}, "prevalence must be one of calibration, a list of shares"),
        ({"then": "isotonic"}, "then must be one of None, temperature, ats, got 'isotonic'"),
    ],
)
def test_refuses_settings_it_does_not_know(arguments, reason):
    with pytest.raises(InputError, match=reason):
        fit_prior(*overconfident(0, 50), **arguments)
