import numpy as np
import pytest

from pipeline.calibrators.calibrator import SiteCases, checked_cases, checked_logits
from pipeline.errors import InputError


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_logits_become_float64_in_c_order(dtype):
    table = checked_logits(np.asfortranarray(np.arange(6).reshape(3, 2).astype(dtype)))
    assert table.dtype == np.float64
    assert table.flags.c_contiguous
    np.testing.assert_array_equal(table, [[0, 1], [2, 3], [4, 5]])


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 0), (2, 2, 2)])
def test_refuses_logits_that_are_no_table_of_classes(shape):
    with pytest.raises(InputError, match="logits must have shape"):
        checked_logits(np.zeros(shape))


def test_as_many_cases_as_classes_are_needed_by_default():
    checked_cases(np.zeros((3, 3)), np.arange(3))
    with pytest.raises(InputError, match="at least 3 calibration cases are needed, got 2"):
        checked_cases(np.zeros((2, 3)), np.arange(2))


def test_labels_must_be_a_list():
    with pytest.raises(InputError, match="labels must be a list of integers"):
        checked_cases(np.zeros((3, 3)), np.zeros((3, 1), dtype=int))


def test_cases_without_labels_say_so_when_these_are_asked_for():
    assert SiteCases(np.zeros((1, 2)), np.zeros(1)).required_labels.tolist() == [0]
    with pytest.raises(InputError, match="labelled cases expected, got logits alone"):
        _ = SiteCases(np.zeros((1, 2))).required_labels
