"""Channels of a plane; orientation, spacing and size of a volume, by MONAI."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from PIL import Image
from pydantic import Field

from pipeline.adapters.refused import Refused, too_large
from pipeline.adapters.resizing import resize
from pipeline.config import Dataset
from pipeline.errors import InputError

_Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SpacingMm = tuple[_Length, _Length, _Length]
"""What a config may ask for: right to left, front to back, feet to head."""
FINEST_MM, COARSEST_MM = 1e-6, 1e4
"""Between a nanometre and ten metres lies every distance of pixels that a header can mean."""
_AXES = (("L", "R"), ("P", "A"), ("I", "S"))


def require_axes_for(spacing_mm: SpacingMm | None, dataset: Dataset) -> None:
    """Raise `InputError` where a spacing is asked for that images of two axes are not given."""
    if spacing_mm is not None and len(dataset.image_size) != 3:
        message = f"{dataset.title}: 'spacing_mm' needs an 'image_size' of three axes, got two"
        raise InputError(message)


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
    *,
    max_voxels: int,
) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return a volume with its axes turned to right, anterior, superior, and its spacing in mm.

    Raises `Refused` if resampling would make too many voxels, or not even one.

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
    max_voxels : int
        Refuse a spacing that would make more of them, before memory is set aside.
    """
    if spacing_mm is not None:
        _require_sane_spacing(volume.shape, affine, spacing_mm, max_voxels)
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


def _require_sane_spacing(
    shape: Sequence[int], affine: np.ndarray, spacing_mm: Sequence[float], max_voxels: int
) -> None:
    """Raise `Refused` unless a volume has a sane size at a spacing; its axes may be in any order.

    A volume that is smaller than one new voxel, or would be of trillions, is in another unit.
    """
    from nibabel.orientations import io_orientation

    edges_mm = np.linalg.norm(affine[:3, :3], axis=0)
    # The axis of space that each axis of the volume runs along most.
    along = io_orientation(affine)[:, 0].astype(int)
    extents = [
        float(size * edge / spacing_mm[axis])
        for size, edge, axis in zip(shape, edges_mm, along, strict=True)
    ]
    made = math.prod(max(each, 1.0) for each in extents)
    if made > max_voxels:
        raise too_large(math.ceil(made), "voxels at the spacing asked for")
    if max(extents) < 1:
        advice = "it is smaller than one voxel of 'spacing_mm': check in which unit it is stored"
        raise Refused(reason="too small for the spacing", advice=advice)


def _respaced(volume: Any, spacing_mm: Sequence[float], size: Sequence[int], outside: float) -> Any:
    from monai.transforms import Compose, ResizeWithPadOrCrop, Spacing
    from scipy.ndimage import gaussian_filter

    # Interpolation alone would alias where voxels grow: half the growth is the width of blur that
    # is usual for it.
    shrink = np.array(spacing_mm) / _spacing_of(volume)
    # A wider blur than the axis is long would change nothing and take for ever.
    sigma = np.clip((shrink - 1) / 2, 0, volume.shape[1:])
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
