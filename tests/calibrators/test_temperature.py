import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.calibration import _TemperatureScaling

from pipeline.calibrators.temperature import fit_temperature
from tests.calibrators.simulations import mean_nll, overconfident


@pytest.mark.parametrize("truth", [0.2, 1.0, 2.5, 15.0])
def test_recovers_the_true_temperature(truth):
    fitted = fit_temperature(*overconfident(0, 20_000, truth=truth))
    # The standard error of log T is about 1.0 / sqrt(n) = 0.007 here.
    assert fitted.temperature == pytest.approx(truth, rel=0.02)
    assert fitted.notes == ()


@pytest.mark.parametrize(("n", "num_classes"), [(50, 2), (5_000, 10), (40_000, 3)])
def test_finds_the_optimum_of_a_bounded_scalar_search(n, num_classes):
    logits, labels = overconfident(1, n, num_classes=num_classes)

    def loss(log_temperature):
        return mean_nll(log_softmax(logits / np.exp(log_temperature), axis=1), labels)

    expected = minimize_scalar(
        loss, bounds=(np.log(0.05), np.log(20)), method="bounded", options={"xatol": 1e-9}
    )
    # The reference compares losses, which are flat to 1e-16 within 1e-8 of the optimum.
    assert fit_temperature(logits, labels).temperature == pytest.approx(
        np.exp(expected.x), rel=1e-6
    )


def test_agrees_with_scikit_learn():
    logits, labels = overconfident(2, 3_000)
    reference = _TemperatureScaling().fit(logits, labels)
    assert fit_temperature(logits, labels).temperature == pytest.approx(
        1 / reference.beta_, rel=1e-4
    )


@given(seed=st.integers(0, 2**32 - 1), truth=st.floats(0.1, 10.0))
def test_no_other_temperature_has_a_lower_loss(seed, truth):
    logits, labels = overconfident(seed, 60, truth=truth)
    fitted = fit_temperature(logits, labels)
    least = mean_nll(fitted(logits), labels)
    for temperature in np.geomspace(0.05, 20.0, 41):
        assert least <= mean_nll(log_softmax(logits / temperature, axis=1), labels) + 1e-12


@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(0.5, 2.0))
def test_scaling_the_logits_scales_the_temperature(seed, factor):
    logits, labels = overconfident(seed, 200)
    once = fit_temperature(logits, labels)
    scaled = fit_temperature(factor * logits, labels)
    if not once.notes and not scaled.notes:
        assert scaled.temperature == pytest.approx(factor * once.temperature, rel=1e-9)


def test_a_temperature_at_its_bound_is_reported():
    logits, _ = overconfident(3, 100)
    always_right = fit_temperature(logits, logits.argmax(axis=1))
    assert always_right.temperature == pytest.approx(0.05, rel=1e-12)
    assert always_right.notes == ("temperature at its bound 0.05",)
    always_wrong = fit_temperature(logits, logits.argmin(axis=1))
    assert always_wrong.temperature == pytest.approx(20.0, rel=1e-12)
    assert always_wrong.notes == ("temperature at its bound 20",)


def test_constant_logits_leave_the_temperature_at_one():
    fitted = fit_temperature(np.full((10, 3), 4.0), np.arange(10) % 3)
    assert fitted.temperature == 1.0
    assert fitted.notes == ("temperature not determined by the calibration cases, kept at 1",)
