"""Poolings of volumes whose gradient is the same twice on CUDA, which torch's own is not there."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

AXES = (4, 3, 2)
"""Of a volume (n, channels, depth, height, width), the last first."""


class MeanPool3d(nn.AvgPool3d):
    """`AvgPool3d` without padding; on CUDA the mean is taken axis by axis, over strided slices."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the mean of each window."""
        return mean_of_windows(images, self) if images.is_cuda else super().forward(images)


class LargestPool3d(nn.MaxPool3d):
    """`MaxPool3d`; on CUDA the maximum is taken axis by axis, over strided slices."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the maximum of each window."""
        return maximum_of_windows(images, self) if images.is_cuda else super().forward(images)


def make_pooling_repeatable(network: nn.Module) -> None:
    """Replace the poolings of volumes in a network, in place.

    >>> network = nn.Sequential(nn.MaxPool3d(2), nn.MaxPool2d(2))
    >>> make_pooling_repeatable(network)
    >>> [type(layer).__name__ for layer in network]
    ['LargestPool3d', 'MaxPool2d']
    """
    for module in network.modules():
        # The replacements differ from what they replace in how they compute alone.
        if type(module) is nn.AvgPool3d:
            module.__class__ = MeanPool3d
        elif type(module) is nn.MaxPool3d:
            module.__class__ = LargestPool3d


def mean_of_windows(images: Tensor, pool: nn.AvgPool3d) -> Tensor:
    """Return what an `AvgPool3d` without padding does, (n, channels, *windows)."""
    for axis, size, stride in zip(AXES, _three(pool.kernel_size), _three(pool.stride), strict=True):
        num_windows = 1 + (images.shape[axis] - size) // stride
        slices = _slices(images, axis, size, stride, num_windows)
        images = sum(slices[1:], slices[0]) / size
    return images


def maximum_of_windows(images: Tensor, pool: nn.MaxPool3d) -> Tensor:
    """Return what a `MaxPool3d` does, (n, channels, *windows), and its gradient.

    Among equal values the gradient goes to the first, by depth, then height, then width, as in
    torch on the CPU. NaN wins.
    """
    sizes, strides, paddings = map(_three, (pool.kernel_size, pool.stride, pool.padding))
    for axis, size, stride, padding in zip(AXES, sizes, strides, paddings, strict=True):
        length = images.shape[axis] + 2 * padding - size
        num_windows = 1 + (-(-length // stride) if pool.ceil_mode else length // stride)
        # No window may begin in the padding behind the image.
        if (num_windows - 1) * stride >= images.shape[axis] + padding:
            num_windows -= 1
        behind = (num_windows - 1) * stride + size - images.shape[axis] - padding
        outside = [0, 0] * (4 - axis) + [padding, max(behind, 0)]
        images = functional.pad(images, outside, value=-torch.inf)
        best, *others = _slices(images, axis, size, stride, num_windows)
        for other in others:
            best = torch.where((other > best) | other.isnan(), other, best)
        images = best
    return images


def _slices(images: Tensor, axis: int, size: int, stride: int, num_windows: int) -> list[Tensor]:
    """Return, for each place in a window, the values there of all windows along an axis."""
    last = (num_windows - 1) * stride + 1
    before = (slice(None),) * axis
    return [images[(*before, slice(start, start + last, stride))] for start in range(size)]


def _three(value: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return one number for each of `AXES`."""
    return (value,) * 3 if isinstance(value, int) else tuple(reversed(value))
