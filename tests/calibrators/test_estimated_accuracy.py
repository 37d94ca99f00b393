import numpy as np
import pytest

from pipeline.calibrators import fit_calibrator
from pipeline.calibrators.calibrator import SiteCases
from pipeline.calibrators.estimated_accuracy import fit_estimated_accuracy
from pipeline.errors import InputError


def place(seed, n, *, noise=0.0):
    """Draw classes and images about their class's centre; logits are exact without the noise."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(3, size=n)
    images = 2.0 * np.eye(3)[labels] + generator.normal(size=(n, 3))
    images += noise * generator.normal(size=(n, 3))
    return 2.0 * images, labels


@pytest.fixture(scope="module")
def source():
    return SiteCases(*place(0, 10_000))


@pytest.fixture(scope="module")
def calibrator():
    return fit_calibrator("ats", *place(1, 10_000))


def test_a_site_like_home_keeps_its_calibrator(calibrator, source):
    logits, labels = place(2, 10_000)
    fitted = fit_estimated_accuracy(calibrator, SiteCases(logits), source=source)
    # Two standard errors of an accuracy of 0.84 from 10,000 cases at either place: 0.01.
    assert fitted.accuracy == pytest.approx((logits.argmax(axis=1) == labels).mean(), abs=0.02)
    assert fitted.temperature == pytest.approx(1.0, abs=0.1)
    assert fitted.notes == ()


def test_mean_confidence_is_the_estimated_accuracy_and_the_arg_max_stays(calibrator, source):
    logits, _ = place(2, 1_000, noise=1.0)
    fitted = fit_estimated_accuracy(calibrator, SiteCases(logits), source=source)
    probabilities = np.exp(fitted(logits))
    assert probabilities.max(axis=1).mean() == pytest.approx(fitted.accuracy, abs=1e-6)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), calibrator(logits).argmax(axis=1))
    assert fitted.preserves_argmax


def test_labels_of_the_site_are_not_looked_at(calibrator, source):
    logits, labels = place(2, 1_000, noise=1.0)
    blind = fit_estimated_accuracy(calibrator, SiteCases(logits), source=source)
    seeing = fit_estimated_accuracy(calibrator, SiteCases(logits, labels), source=source)
    assert blind == seeing


@pytest.mark.parametrize("right", [True, False])
def test_a_source_that_is_always_or_never_right_stops_at_a_bound(right):
    logits = np.tile([1.0, 0.0], (50, 1))
    home = SiteCases(logits, np.zeros(50, dtype=int) if right else np.ones(50, dtype=int))
    identity = fit_calibrator("identity", logits, home.required_labels)
    fitted = fit_estimated_accuracy(identity, SiteCases(logits), source=home)
    assert fitted.accuracy == (1.0 if right else 0.0)
    assert fitted.notes == (f"temperature at its bound {'0.05' if right else '20'}",)


def test_one_case_is_refused(calibrator, source):
    with pytest.raises(InputError, match="at least 2 target cases are needed, got 1"):
        fit_estimated_accuracy(calibrator, SiteCases(np.zeros((1, 3))), source=source)
