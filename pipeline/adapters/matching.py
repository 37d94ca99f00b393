"""Give one data set's images the size and the channels of another's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.adapters.resizing import resize
from pipeline.errors import InputError

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue (ITU-R BT.601)."""


def match(image: np.ndarray, size: Sequence[int], channels: int) -> np.ndarray:
    """Return an image of a size and a number of channels, of the same type.

    Colour becomes its luma, grey three equal channels.

    Raises `InputError` if a plane is to become a volume, or a volume a plane.

    >>> match(np.full((2, 2, 1), 7, np.uint8), (1, 1), channels=3).tolist()
    [[[7, 7, 7]]]
    """
    if image.ndim != len(size) + 1:
        message = (
            f"{len(size)} spatial axes expected, got {image.ndim - 1}: planes match no volumes"
        )
        raise InputError(message)
    if image.shape[-1] == 3 and channels == 1:
        grey = image.astype(np.float32) @ LUMA
        grey = np.rint(grey) if image.dtype.kind in "iu" else grey
        image = grey.astype(image.dtype)[..., None]
    elif image.shape[-1] == 1 and channels == 3:
        image = np.repeat(image, 3, axis=-1)
    return resize(image, tuple(size))


def match_all(images: Iterable[np.ndarray], size: Sequence[int], channels: int) -> np.ndarray:
    """Return many images matched, (images, *size, channels), as the partner of another set."""
    return np.stack([match(np.asarray(image), size, channels) for image in images])
