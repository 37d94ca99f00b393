"""Logits of images, in float32 whatever the training's precision."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.errors import InputError
from pipeline.training.cosine import CosineLinear
from pipeline.training.images import Normalisation

ADVICE = "lower the learning rate, or set gradient_clip_norm in the recipe"

VALUES_AT_ONCE = 2**20
"""Input values in one batch: 1,337 images of 28 x 28, 4 volumes of 64 x 64 x 64."""


@dataclass(frozen=True)
class Classifier:
    """A network with what turns stored images into its input and its output into logits.

    Attributes
    ----------
    network : Module
        float32 images (n, channels, *spatial) to (n, classes).
    normalisation : Normalisation
        Measured on the training images.
    logit_scale : float
        Factor of the network's outputs, stated by losses that are defined on scaled cosines.
    """

    network: nn.Module
    normalisation: Normalisation
    logit_scale: float

    @property
    def has_cosine_head(self) -> bool:
        """Whether the network's outputs are cosines."""
        return any(isinstance(module, CosineLinear) for module in self.network.modules())

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits of stored images, (cases, classes), in float32 on their device.

        The network is left in evaluation mode. Batches depend on the images' size alone, so the
        same images always give the same bits.

        Raises
        ------
        InputError
            If a logit is NaN or infinite.
        """
        logits = self.unchecked(images)
        require_finite_logits(logits)
        return logits

    def unchecked(self, images: Tensor) -> Tensor:
        """Return the same logits, finite or not, without waiting for the device."""
        self.network.eval()
        size = max(1, VALUES_AT_ONCE // images[0].numel())
        with torch.no_grad():
            parts = [self.network(self.normalisation(part)).float() for part in images.split(size)]
        return self.logit_scale * torch.cat(parts)


def require_finite_logits(logits: Tensor) -> None:
    """Raise `InputError` if any logit is NaN or infinite.

    >>> require_finite_logits(torch.tensor([[0.0, 1.0], [torch.inf, 0.0]]))
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: logits must be finite, got NaN or infinity for 1 of 2 cases: lower
    the learning rate, or set gradient_clip_norm in the recipe
    """
    finite = torch.isfinite(logits).all(dim=1)
    if not finite.all():
        message = (
            f"logits must be finite, got NaN or infinity for {int((~finite).sum())} of "
            f"{len(logits)} cases: {ADVICE}"
        )
        raise InputError(message)
