"""How long to leave something alone that failed: longer each time, never for ever."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from time import monotonic

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 600.0


@dataclass
class BackOff:
    """Whose turn it is; a restart forgets all failures, and so tries everything at once.

    >>> now = 0.0
    >>> waits = BackOff(clock=lambda: now)
    >>> waits.failed("pacs"), waits.failed("pacs")
    (5.0, 10.0)
    >>> waits.is_due("pacs"), waits.is_due("another")
    (False, True)
    """

    clock: Callable[[], float] = monotonic
    _failures: dict[Hashable, tuple[int, float]] = field(default_factory=dict)

    def is_due(self, key: Hashable) -> bool:
        """Return whether something may be tried now."""
        return self._failures.get(key, (0, float("-inf")))[1] <= self.clock()

    def failed(self, key: Hashable) -> float:
        """Note a failure; return the seconds until the next try, doubled up to ten minutes."""
        count = self.num_failures(key)
        seconds = min(FIRST_SECONDS * 2.0 ** min(count, 30), LONGEST_SECONDS)
        self._failures[key] = count + 1, self.clock() + seconds
        return seconds

    def num_failures(self, key: Hashable) -> int:
        """Return how often something has failed since it last succeeded."""
        return self._failures.get(key, (0, 0.0))[0]

    def succeeded(self, key: Hashable) -> None:
        """Forget the failures of something."""
        self._failures.pop(key, None)
