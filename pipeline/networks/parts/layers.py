"""Layers of our own networks, for images and volumes alike."""

from __future__ import annotations

from torch import Tensor, nn

from pipeline.networks.parts.stem import CONVOLUTIONS

NORMALISATIONS = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def convolution(
    dims: int, channels_in: int, channels_out: int, *, stride: int = 1, size: int = 3
) -> nn.Module:
    """Return a convolution without bias that keeps the sides, divided by its stride."""
    return CONVOLUTIONS[dims](
        channels_in, channels_out, size, stride=stride, padding=size // 2, bias=False
    )


def normalisation(dims: int, channels: int) -> nn.Module:
    """Return batch normalisation."""
    return NORMALISATIONS[dims](channels)


def mean_pixel(features: Tensor) -> Tensor:
    """Return the mean over all pixels, (n, channels)."""
    return features.flatten(2).mean(2)


def initialise(network: nn.Module) -> None:
    """Draw convolutions as He et al. 2015 (arXiv:1502.01852), and clear linear layers' biases."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
