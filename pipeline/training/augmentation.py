"""Random crops with padding, flips and mixup, made on the device for a whole batch at once."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.training.batches import Batch, Draw
from pipeline.training.images import LabelledImages, Normalisation


def read_images(images: Tensor, draw: Draw) -> Tensor:
    """Return the drawn images, moved and flipped, as stored: (n, *spatial, channels).

    Black comes in from outside an image that is moved: 0, or for types that hold negative numbers
    the lowest value of all images.

    Parameters
    ----------
    images : Tensor, (cases, *spatial, channels)
        All training images.
    draw : Draw
        Which, and how each is changed.
    """
    chosen = images[draw.cases.to(images.device)]
    if draw.shifts is None and draw.flips is None:
        return chosen
    num_axes = chosen.ndim - 2
    padding = 0 if draw.shifts is None else int(draw.shifts.abs().max())
    # `pad` counts axes from the last, the channels, which get none.
    chosen = functional.pad(chosen, (0, 0) + (padding, padding) * num_axes, value=_black(images))
    index = [torch.arange(len(chosen)).view(-1, *[1] * num_axes)]
    for axis in range(num_axes):
        positions = torch.arange(images.shape[1 + axis]).expand(len(chosen), -1)
        if axis == num_axes - 1 and draw.flips is not None:
            positions = torch.where(draw.flips[:, None], positions.flip(1), positions)
        if draw.shifts is not None:
            positions = positions - draw.shifts[:, axis, None]
        shape = [len(chosen)] + [1] * num_axes
        shape[1 + axis] = -1
        index.append((positions + padding).view(shape))
    return chosen[tuple(part.to(chosen.device) for part in index)]


def read_batch(
    data: LabelledImages,
    batch: Batch,
    normalisation: Normalisation,
    *,
    num_classes: int,
) -> tuple[Tensor, Tensor]:
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
    images = normalisation(read_images(data.images, batch.draw))
    labels = data.labels[batch.draw.cases.to(data.labels.device)]
    if batch.partner is None:
        return images, labels
    partners = normalisation(read_images(data.images, batch.partner))
    others = data.labels[batch.partner.cases.to(data.labels.device)]
    soft = torch.lerp(
        functional.one_hot(others, num_classes).float(),
        functional.one_hot(labels, num_classes).float(),
        batch.share,
    )
    return torch.lerp(partners, images, batch.share), soft


def _black(images: Tensor) -> float:
    return 0.0 if images.dtype == torch.uint8 else float(images.min())
