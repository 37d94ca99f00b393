"""ResNet-110, narrow and deep, for 32-pixel images."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from pipeline.networks.parts.layers import convolution, initialise, mean_pixel, normalisation
from pipeline.networks.parts.problem import Problem, require_room

WIDTHS = (16, 32, 64)
BLOCKS_A_STAGE = 18  # 6 * 18 + 2 = 110 layers


class Block(nn.Module):
    """Two convolutions and a shortcut without parameters (option A)."""

    def __init__(self, dims: int, channels_in: int, channels_out: int, *, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.new_channels = channels_out - channels_in
        self.convolution1 = convolution(dims, channels_in, channels_out, stride=stride)
        self.normalisation1 = normalisation(dims, channels_out)
        self.convolution2 = convolution(dims, channels_out, channels_out)
        self.normalisation2 = normalisation(dims, channels_out)

    def forward(self, images: Tensor) -> Tensor:
        """Return features (n, channels_out, *spatial / stride)."""
        features = functional.relu(self.normalisation1(self.convolution1(images)))
        return functional.relu(
            self.normalisation2(self.convolution2(features)) + self.shortcut(images)
        )

    def shortcut(self, images: Tensor) -> Tensor:
        """Return every stride-th pixel, new channels filled with zeros."""
        if self.stride == 1 and self.new_channels == 0:
            return images
        dims = images.ndim - 2
        every: tuple[Any, ...] = (..., *[slice(None, None, self.stride)] * dims)
        return functional.pad(images[every], (0, 0) * dims + (0, self.new_channels))


class ResNet110(nn.Module):
    """A 3x3 convolution, three stages of 18 blocks, the mean over pixels and a linear layer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        dims = problem.spatial_dims
        self.stem = convolution(dims, problem.in_channels, WIDTHS[0])
        self.normalisation = normalisation(dims, WIDTHS[0])
        blocks, channels = [], WIDTHS[0]
        for width in WIDTHS:
            for number in range(BLOCKS_A_STAGE):
                stride = 2 if number == 0 and width != WIDTHS[0] else 1
                blocks.append(Block(dims, channels, width, stride=stride))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(channels, problem.num_classes)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes) of images (n, channels, *spatial)."""
        features = functional.relu(self.normalisation(self.stem(images)))
        return self.classifier(mean_pixel(self.blocks(features)))


def cifar_resnet110(problem: Problem) -> nn.Module:
    """Return the ResNet-110 of He et al. 2016 (arXiv:1512.03385), section 4.2.

    MONAI has no ResNet of three stages. 1.7 million parameters for 10 classes.

    Raises
    ------
    InputError
        If a side is smaller than 4 pixels.
    """
    require_room("cifar_resnet110", problem, stride=4, advice="use larger images")
    return ResNet110(problem)
