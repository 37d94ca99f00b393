"""A count of something among a number of cases, with its exact interval."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.metrics.intervals import Interval, proportion_interval


@dataclass(frozen=True)
class Share:
    """So many of so many, as a report prints it: "7 of 412 (1.7 %; 95 % CI 0.7-3.5 %)"."""

    count: int
    of: int
    """How many of how many cases, ``0 <= count <= of``."""
    rate: float | None
    """Their quotient; None of no cases."""
    interval: Interval | None
    """Exact (Clopper-Pearson) interval of the rate; None of no cases."""


def share(count: int, of: int, level: float) -> Share:
    """Return the share with its exact interval at the confidence level.

    >>> share(1, 4, level=0.95).rate, share(0, 0, level=0.95).rate
    (0.25, None)
    """
    # Counts summed by numpy become plain numbers, which JSON can hold.
    count, of = int(count), int(of)
    if not 0 <= count <= of:
        message = f"count must lie in 0..cases, got {count} of {of}"
        raise InputError(message)
    if of == 0:
        return Share(0, 0, None, None)
    return Share(count, of, count / of, proportion_interval(count, of, level))
