"""Read the pictures of a tree, one after the other, decoded over the machine's cores."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from pipeline.adapters.case import Quarantined
from pipeline.adapters.file_tree import FileTree
from pipeline.adapters.parallel import ordered_map
from pipeline.adapters.picture import decode_picture
from pipeline.adapters.refused import Refused
from pipeline.adapters.resizing import resize
from pipeline.metrics.side_by_side import available_cores

BYTES_A_WORKER = 2**28
"""A quarter of a gigabyte of pictures: fewer are decoded sooner than a process has started."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture: its path in the tree, its pixels, and the hash of its file."""

    name: str
    image: np.ndarray
    sha256: str


@dataclass(frozen=True)
class Decoder:
    """Decode and resize; what cannot be decoded comes back with its reason."""

    channels: int
    size: tuple[int, ...]

    def __call__(self, file: tuple[str, bytes | Quarantined]) -> Picture | Quarantined:
        """Return the picture in a file's bytes."""
        name, content = file
        if isinstance(content, Quarantined):
            return content
        try:
            image = decode_picture(content, channels=self.channels)
        except Refused as refusal:
            return Quarantined(name, refusal.reason, refusal.advice)
        return Picture(name, resize(image, self.size), hashlib.sha256(content).hexdigest())


def read_pictures(
    tree: FileTree, names: Iterable[str], decoder: Decoder
) -> Iterator[Picture | Quarantined]:
    """Yield the named files' pictures in their order; memory holds a few at a time."""
    files = ((name, partial(tree.read, name)) for name in names)
    yield from decode_pictures(files, decoder, num_bytes=tree.num_bytes())


def decode_pictures(
    files: Iterable[tuple[str, Callable[[], bytes]]], decoder: Decoder, *, num_bytes: int
) -> Iterator[Picture | Quarantined]:
    """Yield the pictures of named files in their order, each read when its turn comes."""
    workers = min(available_cores(), 1 + num_bytes // BYTES_A_WORKER)
    yield from ordered_map(decoder, _contents(files), workers=workers)


def _contents(
    files: Iterable[tuple[str, Callable[[], bytes]]],
) -> Iterator[tuple[str, bytes | Quarantined]]:
    for name, read in files:
        try:
            yield name, read()
        except Refused as refusal:
            yield name, Quarantined(name, refusal.reason, refusal.advice)
