"""SVHN's cropped digits in their official layout: one MATLAB file a split.

Layout: http://ufldl.stanford.edu/housenumbers. ``X`` is uint8 of shape (32, 32, 3, images); ``y``
holds 1 to 9 for the digits 1 to 9, and 10 for the digit 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path

import numpy as np

from pipeline.acquiring import file_digest
from pipeline.adapters.case import Case
from pipeline.adapters.refused import PARSER_ERRORS
from pipeline.config import Dataset
from pipeline.errors import InputError, located

SUFFIX = "_32x32.mat"
MAX_BYTES = 2**31
"""The largest official file, extra, holds 1.6 GB; a split is in memory while it is read."""


def read(raw: Path, dataset: Dataset) -> Iterator[Case]:
    """Yield the digits of every split that was acquired: train, extra, test in this order.

    Raises `InputError` if a file is damaged or holds other arrays; the message names it and the
    array.
    """
    if len(dataset.classes) != 10:
        message = f"10 classes expected, the digits 0 to 9, got {len(dataset.classes)}"
        raise InputError(message)
    paths = [raw / f"{split}{SUFFIX}" for split in ("train", "extra", "test")]
    present = [path for path in paths if path.is_file()]
    if not present:
        message = f"{raw}: none of {', '.join(path.name for path in paths)}"
        raise InputError(message)
    for path in present:
        with located(path):
            images, digits = _load(path)
        yield from _cases(path, images, digits)


def _cases(path: Path, images: np.ndarray, digits: np.ndarray) -> Iterator[Case]:
    split = path.name.removesuffix(SUFFIX)
    digest = file_digest(path)
    for number, digit in enumerate(digits):
        case = f"{split}-{number:06d}"
        yield Case(
            case=case,
            image=images[..., number],
            label=int(digit) % 10,
            patient=case,
            source=path.name,
            source_sha256=digest,
            split=split,
        )


def _load(path: Path) -> tuple[np.ndarray, np.ndarray]:
    # Imported here: no other format needs it.
    from scipy.io import loadmat, whosmat

    with _mat_faults():
        shapes = {name: shape for name, shape, _ in whosmat(path)}
    _require_shapes(shapes)
    with _mat_faults():
        arrays = loadmat(path, variable_names=["X", "y"])
    images, digits = arrays["X"], arrays["y"].reshape(-1)
    if images.dtype != np.uint8:
        message = f"'X' must hold uint8, got {images.dtype}"
        raise InputError(message)
    if digits.min() < 1 or digits.max() > 10:
        message = f"'y' must lie in 1..10, got {digits.min()}..{digits.max()}"
        raise InputError(message)
    return images, digits


@contextmanager
def _mat_faults() -> Iterator[None]:
    from scipy.io.matlab import MatReadError

    try:
        yield
    except (*PARSER_ERRORS, MatReadError) as error:
        message = f"damaged, or no MATLAB file of version 5: {error}"
        raise InputError(message) from error


def _require_shapes(shapes: dict[str, tuple[int, ...]]) -> None:
    """Refuse other shapes, and more than the largest official file, before allocation."""
    images, digits = shapes.get("X"), shapes.get("y")
    if images is None or digits is None:
        message = f"arrays 'X' and 'y' expected, got {sorted(shapes)}"
        raise InputError(message)
    if len(images) != 4 or images[:3] != (32, 32, 3) or images[3] != prod(digits):
        message = f"'X' of (32, 32, 3, n) and n 'y' expected, got {images} and {digits}"
        raise InputError(message)
    if prod(images) > MAX_BYTES:
        message = f"'X' claims {prod(images)} bytes, at most {MAX_BYTES} allowed"
        raise InputError(message)
