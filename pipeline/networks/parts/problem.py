"""What a network is built for, and the check that its strides leave something of the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pipeline.arguments import one_of
from pipeline.errors import InputError

Stem = Literal["standard", "small", "auto"]
"""First layers: ``standard`` are strided, ``small`` keep an image's sides (for 28 or 32 px), and
``auto`` are standard where the image has room for all of the network's strides, else small."""


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


def takes_small_stem(
    stem: Stem, problem: Problem, *, name: str, stride: int, saved: int = 4
) -> bool:
    """Return whether a network gets the small stem, having checked that its images have room.

    Parameters
    ----------
    stem : {"standard", "small", "auto"}
        As configured.
    problem : Problem
        Images and classes.
    name : str
        Names the network in messages.
    stride : int
        What the network with its standard stem divides an image's sides by.
    saved : int
        What the standard stem alone divides them by.

    Raises
    ------
    InputError
        If the stem is unknown, or a side is smaller than the total stride.

    Examples
    --------
    >>> digit = Problem(spatial_dims=2, in_channels=1, num_classes=10, image_size=(8, 8))
    >>> takes_small_stem("auto", digit, name="resnet18", stride=32)
    True
    >>> takes_small_stem("standard", digit, name="resnet18", stride=32)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: resnet18 divides an image's sides by 32, so it needs at least 32 px,
    got 8 x 8: use stem: small
    """
    one_of("stem", stem, get_args(Stem))
    small = stem == "small" or (stem == "auto" and min(problem.image_size) < stride)
    advice = "use larger images" if small else "use stem: small"
    require_room(name, problem, stride=stride // saved if small else stride, advice=advice)
    return small


def require_room(name: str, problem: Problem, *, stride: int, advice: str) -> None:
    """Raise `InputError` if a network's total stride is larger than a side of its images."""
    if min(problem.image_size) < stride:
        message = (
            f"{name} divides an image's sides by {stride}, so it needs at least {stride} px, "
            f"got {_sides(problem.image_size)}: {advice}"
        )
        raise InputError(message)


def _sides(image_size: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in image_size)
