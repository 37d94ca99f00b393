import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.ks import ks_calibration_error


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40), levels=st.sampled_from([2, 5, 10**6]))
def test_is_the_largest_gap_over_thresholds(seed, n, levels):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.integers(0, levels + 1, n) / levels, rng.integers(0, 2, n)
    gaps = [abs(np.sum((correct - confidence)[confidence <= t])) / n for t in confidence]
    assert ks_calibration_error(confidence, correct) == pytest.approx(max(gaps), abs=1e-12)


def test_shrinks_for_a_calibrated_model_as_the_root_of_its_cases():
    rng = np.random.default_rng(0)
    confidence = rng.random(100_000)
    error = ks_calibration_error(confidence, rng.random(100_000) < confidence)
    # The largest of a Brownian path of variance E[c (1 - c)] / n = 1 / 6n: below 3 of its widths.
    assert error < 3 * np.sqrt(1 / 6 / 100_000)


@pytest.mark.parametrize(
    ("confidence", "correct", "expected"),
    [([1.0], [1], 0.0), ([1.0], [0], 1.0), ([0.0], [1], 1.0), ([0.5, 0.5], [1, 0], 0.0)],
)
def test_edges_by_hand(confidence, correct, expected):
    assert ks_calibration_error(np.array(confidence), np.array(correct)) == expected


def test_refuses_confidence_that_is_no_number():
    with pytest.raises(InputError, match=r"confidence must lie in \[0, 1\]"):
        ks_calibration_error(np.array([np.nan]), np.array([1]))
