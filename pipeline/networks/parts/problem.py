"""What a network is built for, and the check that its strides leave something of the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.errors import InputError

Stem = Literal["standard", "small"]
"""First layers: ``standard`` divides an image's sides by 4, ``small`` leaves 28 or 32 px whole."""


@dataclass(frozen=True)
class Problem:
    """Images of one size and number of channels, to be told into classes.

    Attributes
    ----------
    spatial_dims : int
        2 for images, 3 for volumes.
    in_channels : int
        1 for grey, 3 for colour.
    num_classes : int
        Logits a case.
    image_size : tuple of int, (spatial_dims,)
        Sides in pixels.
    """

    spatial_dims: int
    in_channels: int
    num_classes: int
    image_size: tuple[int, ...]

    def __post_init__(self) -> None:
        """Raise `InputError` unless there is one side a dimension."""
        if len(self.image_size) != self.spatial_dims or self.spatial_dims not in (2, 3):
            message = (
                f"a network takes 2 or 3 spatial dimensions and one side for each, "
                f"got {self.spatial_dims} and the sides {_sides(self.image_size)}"
            )
            raise InputError(message)


def require_stem(stem: str) -> None:
    """Raise `InputError` unless the stem is one of `Stem`."""
    if stem not in ("standard", "small"):
        message = f"stem must be standard or small, got {stem!r}"
        raise InputError(message)


def require_room(name: str, problem: Problem, *, stride: int, advice: str) -> None:
    """Raise `InputError` if a network's total stride is larger than a side of its images.

    >>> require_room("resnet18", Problem(2, 1, 2, (28, 28)), stride=32, advice="use stem: small")
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: resnet18 divides an image's sides by 32, so it needs at least 32 px,
    got 28 x 28: use stem: small
    """
    if min(problem.image_size) < stride:
        message = (
            f"{name} divides an image's sides by {stride}, so it needs at least {stride} px, "
            f"got {_sides(problem.image_size)}: {advice}"
        )
        raise InputError(message)


def _sides(image_size: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in image_size)
