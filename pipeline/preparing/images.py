"""Write images one after the other, as many as there are: memory holds one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from pipeline.errors import InputError

DTYPES = ("uint8", "int16", "float32")


class ImageSpool:
    """A file that images are appended to before it is known which of them are kept."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.path = path
        self.shape = shape
        self.dtype: np.dtype | None = None
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, image: np.ndarray) -> str:
        """Append an image and return the sha256 of its pixels, row by row, little-endian.

        Raises `InputError` if the image has another shape than the data set states, or another type
        than the images before it.
        """
        if image.shape != self.shape:
            message = f"image of shape {self.shape} expected, got {image.shape}"
            raise InputError(message)
        if image.dtype.name not in DTYPES or self.dtype not in (None, image.dtype):
            expected = self.dtype or ", ".join(DTYPES)
            message = f"image of type {expected} expected, got {image.dtype}"
            raise InputError(message)
        self.dtype = image.dtype
        content = np.ascontiguousarray(image, image.dtype.newbyteorder("<")).tobytes()
        self._file.write(content)
        return hashlib.sha256(content).hexdigest()


def write_images(spool: ImageSpool, rows: Iterable[int], path: Path) -> None:
    """Write the spool's images of these rows, in this order, as one .npy file."""
    rows = list(rows)
    if spool.dtype is None:
        message = "no image to write"
        raise InputError(message)
    dtype = spool.dtype.newbyteorder("<")
    num_bytes = prod(spool.shape) * dtype.itemsize
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": (len(rows), *spool.shape),
    }
    with spool.path.open("rb") as source, path.open("wb") as target:
        np.lib.format.write_array_header_1_0(target, header)
        for row in rows:
            source.seek(row * num_bytes)
            target.write(source.read(num_bytes))
