"""One line of progress for many seeds in training; nothing without a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tqdm import tqdm


class Progress:
    """How many epochs of all seeds are done; lines of text go above.

    Parameters
    ----------
    epochs : mapping of str to int
        By a seed's key, how many it is trained for.
    """

    def __init__(self, epochs: Mapping[str, int]) -> None:
        self._epochs = dict(epochs)
        self._done = dict.fromkeys(epochs, 0)
        # As they are now: whoever hides another's lines may turn standard output away meanwhile.
        self._out, self._errors = sys.stdout, sys.stderr
        self._bar = tqdm(
            total=sum(epochs.values()), unit=" epochs", file=self._errors, disable=None
        )
        self._describe()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def reach(self, key: str, epoch: int) -> None:
        """Show that a seed has done so many epochs."""
        self._done[key] = epoch
        self._bar.n = sum(self._done.values())
        self._describe()

    def finish(self, key: str) -> None:
        """Show that a seed is trained."""
        self.reach(key, self._epochs[key])

    def say(self, line: str, *, error: bool = False) -> None:
        """Print a line, on standard error where something went wrong."""
        with tqdm.external_write_mode(file=self._errors):
            print(line, file=self._errors if error else self._out, flush=True)

    def _describe(self) -> None:
        trained = sum(self._done[key] >= self._epochs[key] for key in self._epochs)
        self._bar.set_description(f"{trained} of {len(self._epochs)} seeds", refresh=False)
        self._bar.refresh()
