"""Time contenders side by side: interleaved rounds, medians, and ratios taken round by round.

Whatever else the machine does falls on all contenders of a round alike, so their ratio within the
round stands where their seconds do not. A contender timed twice under two names is the control: its
ratio to itself says how far the others can be believed.
"""

from __future__ import annotations

import gc
import math
import os
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
SAMPLE_SECONDS = 0.01
"""A contender that is faster is called several times a round, until they take this long."""

SLOW_SECONDS = 1.0
"""A contender whose first call takes longer is called once a round without further ado."""

Contender = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """Seconds a call, of each contender in each round."""

    rounds: dict[str, list[float]]

    def seconds(self, name: str) -> float:
        """Return the median over the rounds."""
        return median(self.rounds[name])

    def ratio(self, name: str, to: str) -> float:
        """Return the median over the rounds of one contender's seconds over another's."""
        pairs = zip(self.rounds[name], self.rounds[to], strict=True)
        return median(one / other for one, other in pairs)


def time_side_by_side(
    contenders: Mapping[str, Contender], *, rounds: int, sample_seconds: float = SAMPLE_SECONDS
) -> Timing:
    """Time contenders over several rounds, in each in another order, after a call to warm up."""
    num_calls = {name: _calls(run, sample_seconds) for name, run in contenders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    order, shuffled = list(contenders), random.Random(0)
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            shuffled.shuffle(order)
            for name in order:
                seconds[name].append(_time(contenders[name], num_calls[name]))
    finally:
        if collecting:
            gc.enable()
    return Timing(seconds)


def _calls(run: Contender, sample_seconds: float) -> int:
    if _time(run, 1) > SLOW_SECONDS:
        return 1
    return max(1, math.ceil(sample_seconds / max(_time(run, 1), 1e-9)))


def _time(run: Contender, num_calls: int) -> float:
    started = time.perf_counter()
    for _ in range(num_calls):
        run()
    return (time.perf_counter() - started) / num_calls


def fixed_threads() -> int:
    """Return the number of threads that the environment fixes; leave where it fixes none."""
    stated = {os.environ.get(name) for name in THREAD_VARIABLES}
    if len(stated) > 1 or not str(next(iter(stated))).isdecimal():
        wanted = ", ".join(THREAD_VARIABLES)
        sys.exit(f"set {wanted} to one number, or run `python -m benchmarks NAME`, which does")
    return int(str(stated.pop()))


def at_most(value: float, limit: float) -> str:
    """Return PASS or FAIL with the limit.

    >>> at_most(1.9, 2), at_most(2.1, 2)
    ('PASS (at most 2)', 'FAIL (at most 2)')
    """
    return f"{'PASS' if value <= limit else 'FAIL'} (at most {limit:g})"


def at_least(value: float, limit: float) -> str:
    """Return PASS or FAIL with the limit.

    >>> at_least(1.9, 2)
    'FAIL (at least 2)'
    """
    return f"{'PASS' if value >= limit else 'FAIL'} (at least {limit:g})"


def show_seconds(seconds: float) -> str:
    """Return a time with its unit, three digits or so.

    >>> show_seconds(0.0000123), show_seconds(0.0123), show_seconds(1.23)
    ('12.3 us', '12.3 ms', '1.23 s')
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} us"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, its first column to the left and the others to the right."""
    lines = [list(columns), *map(list, rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    print(f"\n{title}")
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        print("  ".join([line[0].ljust(widths[0]), *cells[1:]]).rstrip(), flush=True)
