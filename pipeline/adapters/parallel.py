"""Spread work over the machine's cores, in order, with a bounded number of results in flight."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from pipeline.errors import InputError
from pipeline.metrics.side_by_side import available_cores

Item = TypeVar("Item")
Result = TypeVar("Result")

_IN_FLIGHT_PER_WORKER = 4
_VALUES_PER_WORKER = 2**25
"""About 130 CT slices: fewer are decoded sooner than one more process has started."""


def workers_for(num_values: int, stated: int | None) -> int:
    """Return how many processes are worth starting to decode so many values, unless stated."""
    return stated or min(available_cores(), 1 + num_values // _VALUES_PER_WORKER)


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int
) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, in the items' order.

    With one worker nothing leaves this process. With more, at most four results a worker wait to
    be consumed, so memory is bounded by the workers and not by the number of items. Both the
    function and the items must be picklable.

    Raises `InputError` if the system ended a worker.

    >>> list(ordered_map(abs, [-2, 1], workers=1))
    [2, 1]
    """
    if workers <= 1:
        yield from map(function, items)
        return
    try:
        yield from _mapped_by_processes(function, items, workers)
    except BrokenProcessPool as error:
        message = (
            f"one of {workers} processes was ended from outside: most likely memory ran out, which "
            "fewer 'workers' or a lower 'max_pixels' need less of"
        )
        raise InputError(message) from error


def _mapped_by_processes(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    # A fork would copy the locks of whatever threads run here; a spawned worker starts clean.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= workers * _IN_FLIGHT_PER_WORKER:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
