"""Finished and unfinished seeds, kept under the hash of everything that went into them.

So a seed that any study has trained is never trained again, and a killed run goes on where it was.
Nothing here is needed for a result: deleting `data/checkpoints` costs time alone.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from pipeline.artifacts import (
    WEIGHTS,
    read_json,
    read_predictions,
    require_intact,
    whole_folder,
)
from pipeline.disk_faults import writing_to
from pipeline.errors import InputError
from pipeline.folders import place_of
from pipeline.hashes import HASHES
from pipeline.provenance import array_sha256

SECONDS_BETWEEN_SAVES = 10.0
"""A kill costs at most this much training and the epoch under way."""


DIGEST_BYTES = hashlib.sha256().digest_size
"""At the end of a state, of all that comes before."""


@dataclass
class Checkpoint:
    """One seed's place: a folder named by the hash of its inputs."""

    folder: Path
    """Holds `state.pt` while the seed trains, and `finished/` once it is done."""
    seconds_between_saves: float = SECONDS_BETWEEN_SAVES
    """Least time between two saved states; 0 saves every one."""
    _last_save: float = field(default_factory=time.monotonic, init=False)

    @property
    def finished(self) -> Path:
        """Folder of a finished seed's files."""
        return self.folder / "finished"

    @property
    def is_finished(self) -> bool:
        """Whether the seed's files are there, as they were written; says so where they are not."""
        if not self.finished.is_dir():
            return False
        try:
            self._require_intact()
        except InputError as error:
            _warn(f"{error}: the seed is trained again")
            return False
        return True

    def _require_intact(self) -> None:
        if (self.finished / HASHES).is_file() or not (self.finished / "run.json").is_file():
            require_intact(self.finished)
            return
        # Of seeds that are older than the list of hashes, the record states those of the logits.
        record = read_json(self.finished / "run.json")
        for split, stated in record["logits_sha256_by_split"].items():
            path = self.finished / f"{split}.parquet"
            if array_sha256(read_predictions(path).logits) != stated:
                message = f"{path} is not as it was written"
                raise InputError(message)
        path = self.finished / WEIGHTS
        try:
            load_file(path)
        except (SafetensorError, OSError) as error:
            message = f"{path} is not as it was written"
            raise InputError(message) from error

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """Return the last saved state, or None where there is none, or only a damaged one."""
        content = self.saved_state()
        if content is None:
            return None
        state = io.BytesIO(content[:-DIGEST_BYTES])
        return torch.load(state, map_location=device, weights_only=True)

    def saved_state(self) -> bytes | None:
        """Return the last saved state as `keep` takes it, or None as `load` does."""
        path = self.folder / "state.pt"
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        if not _is_whole(content):
            _warn(f"{path} is not as it was written: the seed is trained from its beginning")
            return None
        return content

    def save(self, state: dict[str, Any]) -> bool:
        """Save a state in place of the last one, unless that is recent; return whether it was."""
        if time.monotonic() - self._last_save < self.seconds_between_saves:
            return False
        # In memory first: where a disk is full, torch's own writer does not say so.
        content = io.BytesIO()
        torch.save(state, content)
        # Behind the state, where torch does not look: no list of hashes to fall behind.
        content.write(hashlib.sha256(content.getbuffer()).digest())
        self.keep(content.getbuffer())
        self._last_save = time.monotonic()
        return True

    def keep(self, content: bytes | memoryview) -> None:
        """Put the content of another checkpoint's state in place of the last one.

        Raises
        ------
        InputError
            If it is not as it was written.
        """
        if not _is_whole(content):
            message = "a saved state did not arrive as it was written"
            raise InputError(message)
        with writing_to(place_of(self.folder)):
            self._write(content)

    def _write(self, content: bytes | memoryview) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"state.pt.{os.getpid()}"
        try:
            with partial.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            # Replacing is atomic: whoever is killed leaves either state, never half of one.
            # Another run that finishes the seed meanwhile clears its states away, this one too.
            with suppress(FileNotFoundError):
                partial.replace(self.folder / "state.pt")
        finally:
            partial.unlink(missing_ok=True)

    @contextmanager
    def finishing(self) -> Iterator[Path]:
        """Give a folder for the finished seed's files; it counts only if the block ends well."""
        with whole_folder(self.finished, hashed=True) as folder:
            yield folder
        for leftover in self.folder.glob("state.pt*"):
            leftover.unlink(missing_ok=True)


def _is_whole(content: bytes | memoryview) -> bool:
    state, digest = content[:-DIGEST_BYTES], content[-DIGEST_BYTES:]
    return hashlib.sha256(state).digest() == digest


def _warn(message: str) -> None:
    sys.stderr.write(f"warning: {message}\n")
