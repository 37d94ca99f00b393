import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.weighting import (
    MATRIX_BINS,
    case_weights,
    smallest_counts,
    sums_by_bin,
    weighted_mean,
)


@given(seed=st.integers(0, 2**32 - 1), num_bins=st.sampled_from([1, 3, MATRIX_BINS + 1]))
def test_sums_of_many_resamples_are_those_of_each_alone(seed, num_bins):
    rng = np.random.default_rng(seed)
    bins, values = rng.integers(num_bins, size=20), rng.normal(size=20)
    weights = rng.integers(0, 4, (2, 3, 20)).astype(float)
    together = sums_by_bin(bins, num_bins, values, weights)
    alone = [[sums_by_bin(bins, num_bins, values, row) for row in block] for block in weights]
    # The order of addition differs between a matrix product and a count.
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-12)


def test_a_weight_of_zero_leaves_a_case_out():
    assert weighted_mean(np.array([1.0, 5.0]), np.array([1.0, 0.0])) == 1.0


def test_cases_count_once_unless_said():
    np.testing.assert_array_equal(case_weights(None, 2), [1.0, 1.0])


@pytest.mark.parametrize(
    ("weights", "num_cases", "message"),
    [
        (None, 0, "needs at least one case, got none"),
        (np.ones(3), 2, r"must end in 2 cases, got shape \(3,\)"),
        (np.float64(1.0), 1, r"must end in 1 cases, got shape \(\)"),
        (np.array([1.0, -1.0]), 2, "non-negative and count at least one case"),
        (np.array([[1.0, 1.0], [0.0, 0.0]]), 2, "non-negative and count at least one case"),
        (np.array([np.nan, 1.0]), 2, "non-negative and count at least one case"),
    ],
)
def test_refuses_weights_that_count_nothing_sensible(weights, num_cases, message):
    with pytest.raises(InputError, match=message):
        case_weights(weights, num_cases)


@pytest.mark.parametrize(
    ("largest", "dtype"), [(1, np.uint8), (255, np.uint8), (256, np.uint16), (70_000, np.uint32)]
)
def test_counts_take_the_smallest_type_that_holds_the_largest(largest, dtype):
    counts = smallest_counts(np.array([[0.0, largest]]))
    assert counts.dtype == dtype
    np.testing.assert_array_equal(counts, [[0, largest]])
