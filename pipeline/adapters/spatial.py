"""Channels of a plane; orientation, spacing and size of a volume, by MONAI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from pipeline.adapters.resizing import resize

_AXES = (("L", "R"), ("P", "A"), ("I", "S"))


def in_equal_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """Return a plane or volume of one channel in so many equal ones, along a new last axis."""
    single = image[..., None]
    # Repeating once would copy value by value, which takes longer than to decode a slice.
    return single if channels == 1 else np.repeat(single, channels, axis=-1)


def with_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """Return a (rows, columns) or (rows, columns, 3) image with so many channels, as its last axis.

    Grey becomes three equal channels; colour becomes its luma (ITU-R BT.601).
    """
    if image.ndim == 2:
        return in_equal_channels(image, channels)
    if channels == 1:
        return np.asarray(Image.fromarray(image).convert("L"))[..., None]
    return image


def resampled_volume(
    volume: np.ndarray,
    affine: np.ndarray,
    size: Sequence[int],
    spacing_mm: Sequence[float] | None,
) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return a volume with its axes turned to right, anterior, superior, and its spacing in mm.

    Parameters
    ----------
    volume : float32 array, (a, b, c)
        Values along the axes that `affine` maps to space.
    affine : float array, (4, 4)
        From voxel indices to RAS+ coordinates in mm.
    size : sequence of int
        What is returned has this shape.
    spacing_mm : sequence of float, optional
        With a spacing, the volume is resampled to it, then cropped or padded (with its lowest
        value) about its centre; without, it is stretched to the size.
    """
    # MONAI takes seconds to import; planes do without.
    import torch
    from monai.data import MetaTensor
    from monai.transforms import Orientation

    tensor = MetaTensor(torch.from_numpy(volume[None]), affine=torch.from_numpy(affine))
    turned = Orientation(axcodes="RAS", labels=_AXES)(tensor)
    if spacing_mm is not None:
        spaced = _respaced(turned, spacing_mm, size, outside=float(volume.min()))
        return spaced[0].numpy(), _rounded(_spacing_of(spaced))
    shape = np.array(turned.shape[1:])
    stretched = resize(turned.numpy()[0, ..., None], tuple(size))[..., 0]
    return stretched, _rounded(_spacing_of(turned) * shape / size)


def _respaced(volume: Any, spacing_mm: Sequence[float], size: Sequence[int], outside: float) -> Any:
    from monai.transforms import Compose, ResizeWithPadOrCrop, Spacing
    from scipy.ndimage import gaussian_filter

    # Interpolation alone would alias where voxels grow: half the growth is the width of blur that
    # is usual for it.
    shrink = np.array(spacing_mm) / _spacing_of(volume)
    sigma = np.maximum((shrink - 1) / 2, 0)
    smoothed = volume.clone()
    values = smoothed.numpy()[0]
    gaussian_filter(values, sigma, mode="nearest", truncate=3, output=values)
    spacing = Spacing(spacing_mm, mode="bilinear", padding_mode="border")
    return Compose([spacing, ResizeWithPadOrCrop(size, value=outside)])(smoothed)


def _spacing_of(volume: Any) -> np.ndarray:
    return np.linalg.norm(np.asarray(volume.affine)[:3, :3], axis=0)


def _rounded(spacing: np.ndarray) -> tuple[float, ...]:
    # To a millionth of a millimetre, so that no rounding error of an affine is recorded.
    return tuple(round(float(mm), 6) for mm in spacing)
