import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.metrics.smooth_curve import FEWEST_NEAR, smooth_curve
from pipeline.metrics.smooth_ece import smooth_ece


def outcomes(seed, n, gap=0.0):
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1.0, n)
    return confidence, (rng.random(n) < confidence - gap).astype(int)


def test_is_the_kernel_mean_of_the_definition():
    confidence, correct = outcomes(0, 300)
    curve = smooth_curve(
        confidence, correct, np.arange(300), seed=0, bandwidth=0.05, num_resamples=10
    )
    images = np.concatenate([confidence, -confidence, 2 - confidence])
    kernel = np.exp(-0.5 * ((curve.confidence[:, None] - images) / 0.05) ** 2)
    # The grid blurs by at most (1 / 1,024)^2 / 6 of variance, which thin ends feel most.
    np.testing.assert_allclose(curve.num_near, kernel.sum(axis=1), rtol=0.01, atol=0.01)
    shown = curve.num_near >= FEWEST_NEAR
    expected = (kernel @ np.tile(correct, 3) / kernel.sum(axis=1))[shown]
    np.testing.assert_allclose(curve.accuracy[shown], expected, atol=0.002)


def test_follows_the_diagonal_shifted_by_a_known_gap():
    confidence, correct = outcomes(1, 50_000, gap=0.1)
    curve = smooth_curve(
        confidence, correct, np.arange(50_000), seed=0, bandwidth=0.02, num_resamples=20
    )
    inner = (curve.confidence > 0.55) & (curve.confidence < 0.95)
    # About 5,000 cases are near each point: standard error 0.007.
    np.testing.assert_allclose(curve.accuracy[inner], curve.confidence[inner] - 0.1, atol=4 * 0.007)


def test_its_bandwidth_is_the_smooth_calibration_error_unless_given():
    confidence, correct = outcomes(2, 400, gap=0.1)
    curve = smooth_curve(confidence, correct, np.arange(400), seed=0, num_resamples=5)
    assert curve.bandwidth == pytest.approx(smooth_ece(confidence, correct), abs=3e-5)


def test_says_nothing_where_too_few_cases_are_near():
    confidence, correct = outcomes(3, 200)
    curve = smooth_curve(confidence, correct, np.arange(200), seed=0, num_resamples=20)
    hidden = curve.num_near < FEWEST_NEAR
    assert hidden[curve.confidence < 0.3].all()
    for values in (curve.accuracy, curve.lower, curve.upper):
        np.testing.assert_array_equal(np.isnan(values), hidden)


def test_the_band_is_that_of_a_mean_of_the_cases_near():
    confidence = np.full(400, 0.75)
    correct = np.arange(400) % 4 > 0
    curve = smooth_curve(
        confidence, correct, np.arange(400), seed=0, bandwidth=0.1, num_resamples=2000
    )
    at = np.argmin(np.abs(curve.confidence - 0.75))
    half_width = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert curve.accuracy[at] == pytest.approx(0.75)
    assert (curve.upper - curve.lower)[at] / 2 == pytest.approx(half_width, rel=0.1)


def test_a_model_without_a_gap_has_a_curve():
    curve = smooth_curve(np.ones(50), np.ones(50), np.arange(50), seed=0, num_resamples=5)
    assert curve.accuracy[-1] == 1.0


def test_few_cases_have_no_curve_at_all():
    curve = smooth_curve(np.array([0.5, 0.9]), np.array([0, 1]), np.arange(2), seed=0)
    assert np.isnan(curve.accuracy).all()
    assert np.isnan(curve.lower).all()


def test_refuses_a_bandwidth_of_zero():
    with pytest.raises(InputError, match="bandwidth must be above 0"):
        smooth_curve(np.array([0.5, 0.9]), np.array([0, 1]), np.arange(2), seed=0, bandwidth=0.0)
