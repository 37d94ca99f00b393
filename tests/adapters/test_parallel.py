import os
from math import sqrt

import pytest

from pipeline.adapters.parallel import ordered_map, workers_for
from pipeline.errors import InputError
from pipeline.metrics.side_by_side import available_cores


def test_two_workers_give_what_one_gives_in_the_same_order():
    numbers = [9.0, 4.0, 1.0, 16.0] * 5
    assert list(ordered_map(sqrt, numbers, workers=2)) == list(map(sqrt, numbers))


def test_items_are_taken_as_they_are_needed():
    taken = []

    def items():
        for number in range(1000):
            taken.append(number)
            yield float(number)

    results = ordered_map(sqrt, items(), workers=2)
    next(results)
    # Four results a worker may wait; the rest has not been asked for.
    assert len(taken) <= 2 * 4 + 1
    results.close()


def test_a_defect_in_a_worker_is_raised_here():
    with pytest.raises(ValueError, match="expected a nonnegative input|math domain error"):
        list(ordered_map(sqrt, [1.0, -1.0], workers=2))


def test_a_worker_that_the_system_ends_is_told_in_one_line():
    with pytest.raises(InputError, match="one of 2 processes was ended from outside"):
        list(ordered_map(os._exit, [1, 1], workers=2))


def test_few_values_need_no_second_process():
    assert workers_for(1000, None) == 1
    assert workers_for(2**40, None) == available_cores()
    assert workers_for(2**40, 3) == 3
