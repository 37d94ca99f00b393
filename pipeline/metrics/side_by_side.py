"""Blocks of resamples computed side by side: numpy lets other threads run while it computes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Block = TypeVar("Block")
Result = TypeVar("Result")

MOST_THREADS = 8
"""Each holds a block and what is made of it, some 100 MB."""


def side_by_side(
    function: Callable[[Block], Result], blocks: Iterable[Block], *, threads: int | None = None
) -> list[Result]:
    """Return ``function(block)`` of each block, in order, on all cores unless told how many.

    One thread alone computes a block, so results have the same bits whatever their number. No more
    blocks are drawn ahead than there are threads.

    >>> side_by_side(abs, [-2, 1, -3])
    [2, 1, 3]
    """
    threads = threads or min(MOST_THREADS, available_cores())
    results: list[Result] = []
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for block in blocks:
            waiting.append(pool.submit(function, block))
            if len(waiting) > threads:
                results.append(waiting.popleft().result())
        return [*results, *(each.result() for each in waiting)]


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
