"""Finished and unfinished seeds, kept under the hash of everything that went into them.

So a seed that any study has trained is never trained again, and a killed run goes on where it was.
Nothing here is needed for a result: deleting `data/checkpoints` costs time alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from pipeline.artifacts import whole_folder

SECONDS_BETWEEN_SAVES = 10.0
"""A kill costs at most this much training and the epoch under way."""


@dataclass
class Checkpoint:
    """One seed's place: a folder named by the hash of its inputs.

    Attributes
    ----------
    folder : Path
        Holds `state.pt` while the seed trains, and `finished/` once it is done.
    seconds_between_saves : float
        Least time between two saved states; 0 saves every one.
    """

    folder: Path
    seconds_between_saves: float = SECONDS_BETWEEN_SAVES
    _last_save: float = field(default_factory=time.monotonic, init=False)

    @property
    def finished(self) -> Path:
        """Folder of a finished seed's files."""
        return self.folder / "finished"

    @property
    def is_finished(self) -> bool:
        """Whether the seed's files are there, whole."""
        return self.finished.is_dir()

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """Return the last saved state, or None where there is none."""
        path = self.folder / "state.pt"
        if not path.is_file():
            return None
        return torch.load(path, map_location=device, weights_only=True)

    def save(self, state: dict[str, Any]) -> None:
        """Save a state in place of the last one, unless that is recent."""
        if time.monotonic() - self._last_save < self.seconds_between_saves:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"state.pt.{os.getpid()}"
        with partial.open("wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        # Replacing is atomic: whoever is killed leaves either state, never half of one.
        partial.replace(self.folder / "state.pt")
        self._last_save = time.monotonic()

    @contextmanager
    def finishing(self) -> Iterator[Path]:
        """Give a folder for the finished seed's files; it counts only if the block ends well."""
        with whole_folder(self.finished) as folder:
            yield folder
        for leftover in self.folder.glob("state.pt*"):
            leftover.unlink()
