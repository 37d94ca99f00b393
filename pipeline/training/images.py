"""Images held in memory on the device as they were stored, normalised batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

STATISTICS_BATCH = 1024
"""Cases read at once to measure the normalisation: bounds the float64 copy of the images."""


@dataclass(frozen=True)
class LabelledImages:
    """The images of a split and their classes.

    Attributes
    ----------
    images : Tensor, (cases, *spatial, channels)
        uint8, int16 or float32, channels last: a quarter or half of the memory of normalised
        images, and already in the layout that convolutions are fastest on.
    labels : int64 Tensor, (cases,)
        True classes.
    """

    images: Tensor
    labels: Tensor

    @classmethod
    def from_arrays(
        cls, images: np.ndarray, labels: np.ndarray, *, device: torch.device | str = "cpu"
    ) -> Self:
        """Copy one split's arrays to a device."""
        return cls(
            images=torch.from_numpy(np.array(images)).to(device),
            labels=torch.from_numpy(np.array(labels, dtype=np.int64)).to(device),
        )

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Normalisation:
    """Shift and scale of each channel: ``(image - mean) / sd``.

    Attributes
    ----------
    mean, sd : float32 Tensor, (channels,)
        In the units of the stored images.
    """

    mean: Tensor
    sd: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """Return stored images (n, *spatial, channels) as float32 (n, channels, *spatial).

        The result is a view whose memory stays channels last.
        """
        return torch.sub(images, self.mean).div_(self.sd).movedim(-1, 1)


def measure_normalisation(images: Tensor) -> Normalisation:
    """Return the mean and population standard deviation of each channel of the training images.

    A constant channel gets the scale 1, so that it becomes 0 and not NaN.

    >>> pixels = torch.tensor([0, 0, 8, 8], dtype=torch.uint8)
    >>> measured = measure_normalisation(pixels.view(1, 4, 1))
    >>> measured.mean, measured.sd
    (tensor([4.]), tensor([4.]))
    """
    channels = images.shape[-1]
    total = torch.zeros(channels, dtype=torch.float64, device=images.device)
    squares = torch.zeros_like(total)
    for part in images.split(STATISTICS_BATCH):
        values = part.reshape(-1, channels).to(torch.float64)
        total += values.sum(0)
        squares += values.square().sum(0)
    count = images.numel() / channels
    mean = total / count
    sd = (squares / count - mean.square()).clamp(min=0).sqrt()
    sd = torch.where(sd > 0, sd, torch.ones_like(sd))
    return Normalisation(mean=mean.to(torch.float32), sd=sd.to(torch.float32))
