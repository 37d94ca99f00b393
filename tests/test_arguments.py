import math

import numpy as np
import pytest

from pipeline.arguments import non_negative, one_of, positive, require_known, share, whole_number
from pipeline.errors import InputError

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
    assert whole_number("num_bins", np.int64(2), lowest=1) == 2


def test_refuses_a_word_that_is_no_choice():
    with pytest.raises(InputError, match="marginal must be one of batch, ema, got None"):
        one_of("marginal", None, ("batch", "ema"))


def test_what_a_registry_does_not_know_is_refused_with_what_it_knows():
    registry = {"focal": lambda classes, *, gamma, reduction="mean": None}

    def check(name, *arguments):
        require_known("loss", name, registry, arguments, given=("classes",))

    check("focal", "gamma")
    with pytest.raises(InputError, match="unknown loss 'vocal'; known losses: focal"):
        check("vocal")
    with pytest.raises(
        InputError,
        match="unknown argument 'classes' of loss 'focal'; known arguments: gamma, reduction",
    ):
        check("focal", "gamma", "classes")
    with pytest.raises(InputError, match="loss 'focal' needs the argument 'gamma'"):
        check("focal", "reduction")
