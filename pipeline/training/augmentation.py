"""Random crops with padding, flips and mixup, made on the device for a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.training.batches import Batch, Draw
from pipeline.training.images import LabelledImages, Normalisation


@dataclass(frozen=True)
class BatchReader:
    """Reads batches of the training cases, changed as drawn and normalised.

    Attributes
    ----------
    data : LabelledImages
        All training cases.
    normalisation : Normalisation
        Of the images.
    num_classes : int
        Columns of soft labels.
    padding : int
        The most pixels by which an image is moved.
    """

    data: LabelledImages
    normalisation: Normalisation
    num_classes: int
    padding: int = 0

    @cached_property
    def black(self) -> float:
        """What comes in from outside an image: 0, or the lowest value where some are negative."""
        images = self.data.images
        return 0.0 if images.dtype == torch.uint8 else float(images.min())

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return a batch's normalised images and its labels, or under mixup its soft labels.

        Mixup (Zhang et al. 2018, arXiv:1710.09412, equation 2): images and one-hot labels are mixed
        with those of other cases of the batch, at one weight a batch.

        Returns
        -------
        images : float32 Tensor, (n, channels, *spatial)
            Channels last in memory.
        labels : int64 Tensor, (n,), or float32 Tensor, (n, classes)
            Classes, or rows that sum to one.
        """
        images, labels = self._read(batch.draw)
        if batch.partner is None:
            return images, labels
        partners, others = self._read(batch.partner)
        soft = torch.lerp(
            functional.one_hot(others, self.num_classes).float(),
            functional.one_hot(labels, self.num_classes).float(),
            batch.share,
        )
        return torch.lerp(partners, images, batch.share), soft

    def _read(self, draw: Draw) -> tuple[Tensor, Tensor]:
        black = self.black if self.padding else 0.0
        images = read_images(self.data.images, draw, padding=self.padding, black=black)
        return self.normalisation(images), self.data.labels[draw.cases]


def read_images(images: Tensor, draw: Draw, *, padding: int = 0, black: float = 0.0) -> Tensor:
    """Return the drawn images, moved and flipped, as stored: (n, *spatial, channels).

    Nothing here waits for the device.

    Parameters
    ----------
    images : Tensor, (cases, *spatial, channels)
        All training images.
    draw : Draw
        Which, and how each is changed; on the images' device.
    padding : int
        No image is moved by more pixels.
    black : float
        What comes in from outside an image that is moved.
    """
    chosen = images[draw.cases]
    if draw.shifts is None and draw.flips is None:
        return chosen
    num_axes, device = chosen.ndim - 2, images.device
    # `pad` counts axes from the last, the channels, which get none.
    chosen = functional.pad(chosen, (0, 0) + (padding, padding) * num_axes, value=black)
    index = [torch.arange(len(chosen), device=device).view(-1, *[1] * num_axes)]
    for axis in range(num_axes):
        positions = torch.arange(images.shape[1 + axis], device=device).expand(len(chosen), -1)
        if axis == num_axes - 1 and draw.flips is not None:
            positions = torch.where(draw.flips[:, None], positions.flip(1), positions)
        if draw.shifts is not None:
            positions = positions - draw.shifts[:, axis, None]
        shape = [len(chosen)] + [1] * num_axes
        shape[1 + axis] = -1
        index.append((positions + padding).view(shape))
    return chosen[tuple(index)]
