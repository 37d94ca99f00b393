import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metrics.debiased import l2_calibration_error_debiased


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60), num_bins=st.integers(1, 20))
def test_follows_the_definition_bin_by_bin(seed, n, num_bins):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(n), rng.integers(0, 2, n)
    squared = 0.0
    for part in np.array_split(np.argsort(confidence), num_bins):
        if len(part) > 1:
            share = correct[part].mean()
            gap = share - confidence[part].mean()
            squared += len(part) / n * (gap**2 - share * (1 - share) / (len(part) - 1))
    expected = np.sqrt(max(0.0, squared))
    # The root of a rounding error: sqrt(1e-16).
    value = l2_calibration_error_debiased(confidence, correct, num_bins)
    assert value == pytest.approx(expected, abs=1e-7)


def test_is_right_on_average_where_the_plain_error_is_too_large():
    rng = np.random.default_rng(0)
    squared, plain = [], []
    for _ in range(2000):
        # Each of five bins holds 20 cases of one confidence, 0.2 above the true chance.
        confidence = np.repeat([0.5, 0.6, 0.7, 0.8, 0.9], 20)
        correct = rng.random(100) < confidence - 0.2
        squared.append(l2_calibration_error_debiased(confidence, correct, 5) ** 2)
        shares = correct.reshape(5, 20).mean(axis=1)
        plain.append(np.mean((shares - confidence[::20]) ** 2))
    # 2,000 draws of standard deviation about 0.02: the mean is known to 0.0005, three of it here.
    assert np.mean(squared) == pytest.approx(0.2**2, abs=0.0015)
    assert np.mean(plain) > 0.2**2 + 0.008


def test_single_cases_a_bin_say_nothing():
    confidence = np.array([0.2, 0.5, 0.9])
    assert l2_calibration_error_debiased(confidence, np.array([1, 0, 0]), num_bins=3) == 0.0


def test_a_constant_gap_without_noise_is_found_whole():
    assert l2_calibration_error_debiased(np.full(50, 0.75), np.ones(50), 5) == pytest.approx(0.25)
