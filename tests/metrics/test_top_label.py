import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metrics.top_label import BLOCK_CASES, FEW_CLASSES, top_label


def test_confidence_never_exceeds_one_though_a_rounded_logarithm_may():
    confidence = top_label(np.array([[1e-7, -np.inf]], dtype=np.float32), np.array([0])).confidence
    assert confidence[0] == 1.0


def test_reads_saturated_float32_as_certain():
    saturated = np.array([[0.0, -104.0], [-np.inf, 0.0]], dtype=np.float32)
    top = top_label(saturated, np.array([0, 0]))
    np.testing.assert_array_equal(top.confidence, [1.0, 1.0])
    np.testing.assert_array_equal(top.correct, [True, False])
    assert top.confidence.dtype == np.float64


def test_reads_columns_of_any_memory_layout_alike():
    rows = np.log(np.random.default_rng(0).dirichlet(np.ones(3), 20))
    labels = np.zeros(20, dtype=int)
    columns = np.asfortranarray(rows)
    np.testing.assert_array_equal(
        top_label(rows, labels).confidence, top_label(columns, labels).confidence
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    num_cases=st.integers(0, 40),
    num_classes=st.sampled_from([1, 2, 3, 10, FEW_CLASSES, FEW_CLASSES + 1, 300]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_the_predicted_class_is_the_first_of_the_largest_bit_for_bit(
    seed, num_cases, num_classes, dtype
):
    # Whole numbers tie often, and minus infinity is a logarithm of zero.
    rng = np.random.default_rng(seed)
    values = -rng.integers(0, 5, size=(num_cases, num_classes)).astype(dtype)
    values[rng.random(values.shape) < 0.2] = -np.inf
    labels = rng.integers(num_classes, size=num_cases)
    top = top_label(values, labels)
    expected = values.argmax(axis=1)
    np.testing.assert_array_equal(top.predicted, expected)
    np.testing.assert_array_equal(top.correct, expected == labels)
    np.testing.assert_array_equal(top.confidence, np.exp(values.max(axis=1).astype(np.float64)))


@pytest.mark.parametrize("num_cases", [BLOCK_CASES - 1, BLOCK_CASES, 2 * BLOCK_CASES + 1])
def test_no_case_is_lost_between_blocks(num_cases):
    values = np.random.default_rng(0).normal(size=(num_cases, 3)) - 5
    top = top_label(values, np.zeros(num_cases, dtype=int))
    np.testing.assert_array_equal(top.predicted, values.argmax(axis=1))
    np.testing.assert_array_equal(top.confidence, np.exp(values.max(axis=1)))


@pytest.mark.parametrize("num_classes", [3, FEW_CLASSES + 1])
def test_a_row_that_is_not_a_number_has_a_confidence_that_is_none(num_classes):
    values = np.full((2, num_classes), -1.0)
    values[0, 1] = np.nan
    confidence = top_label(values, np.zeros(2, dtype=int)).confidence
    np.testing.assert_array_equal(np.isnan(confidence), [True, False])
