import math

import numpy as np
import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses.parts.arguments import (
    class_count,
    non_negative,
    one_of,
    positive,
    share,
    training_counts,
    whole_number,
)

NO_NUMBERS = [math.nan, math.inf, -math.inf, "1", None, True, [1]]


@pytest.mark.parametrize("check", [non_negative, positive, share])
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_refuses_what_is_no_finite_number(check, value):
    with pytest.raises(InputError, match="weight must be a number .*, got "):
        check("weight", value)


@pytest.mark.parametrize(
    ("check", "inside", "outside"),
    [
        (non_negative, [0, 0.5, 7, np.float32(2)], [-1e-9]),
        (positive, [1e-9, 7], [0, -1]),
        (share, [0, 0.5, 1 - 1e-9], [1, -1e-9]),
    ],
)
def test_bounds_are_where_they_are_said_to_be(check, inside, outside):
    for value in inside:
        assert check("weight", value) == value
    for value in outside:
        with pytest.raises(InputError, match=f"got {value!r}"):
            check("weight", value)


@pytest.mark.parametrize("value", [2.0, "2", True, None, 0])
def test_refuses_what_is_no_whole_number(value):
    with pytest.raises(InputError, match="num_bins must be a whole number >= 1, got"):
        whole_number("num_bins", value, lowest=1)


def test_reads_whole_numbers_of_numpy():
    assert class_count(np.int64(2)) == 2


def test_refuses_a_word_that_is_no_choice():
    with pytest.raises(InputError, match="marginal must be one of batch, ema, got None"):
        one_of("marginal", None, ("batch", "ema"))


@pytest.mark.parametrize("counts", [[3, 1], (3, 1), np.array([3, 1]), torch.tensor([3, 1])])
def test_reads_counts_of_any_sequence(counts):
    expected = torch.tensor([3.0, 1.0], dtype=torch.float64)
    assert torch.equal(training_counts(counts, num_classes=2, because=""), expected)


@pytest.mark.parametrize("counts", [[3, 1.5], [3, -1], [3, math.nan], [3, math.inf]])
def test_refuses_counts_that_count_nothing(counts):
    with pytest.raises(InputError, match="class_counts must be whole numbers >= 0, got"):
        training_counts(counts, num_classes=2, because="")
