"""Bring an image to the data set's size, without aliasing."""

from __future__ import annotations

import numpy as np


def resize(image: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Return an image of another size and the same type.

    In two dimensions by bilinear interpolation whose kernel widens as the image shrinks; in three
    by the mean over each new voxel's old ones, then trilinear interpolation where an axis grows.
    Either keeps the mean of a uniform image and stays within the old range.

    The image, (*spatial, channels), is uint8, int16 or float32; its channels stay.

    >>> resize(np.array([[[0.0], [4.0]], [[8.0], [12.0]]], np.float32), (1, 1)).item()
    6.0
    """
    shape = image.shape[:-1]
    if shape == tuple(size):
        return image
    # Imported here: most sets need no resizing, and torch takes more than a second to import.
    import torch
    from torch.nn.functional import interpolate

    batch = torch.from_numpy(np.moveaxis(image, -1, 0).astype(np.float32))[None]
    # What shrinks does so first: what lies between is never larger than both old and new.
    smaller = tuple(min(old, new) for old, new in zip(shape, size, strict=True))
    if len(size) == 2:
        for step in dict.fromkeys((smaller, tuple(size))):
            if step != shape:
                batch = interpolate(batch, size=step, mode="bilinear", antialias=True)
    else:
        batch = interpolate(batch, size=smaller, mode="area")
        batch = interpolate(batch, size=tuple(size), mode="trilinear")
    resized = np.moveaxis(batch[0].numpy(), 0, -1)
    if np.issubdtype(image.dtype, np.integer):
        limits = np.iinfo(image.dtype)
        resized = np.rint(resized).clip(limits.min, limits.max)
    return np.ascontiguousarray(resized.astype(image.dtype))
