"""Other first layers for networks of MONAI: its own leave nothing of 28 or 32 pixels."""

from __future__ import annotations

from torch import nn

from pipeline.networks.parts.problem import Problem

CONVOLUTIONS = {2: nn.Conv2d, 3: nn.Conv3d}


def small_stem(problem: Problem, *, channels: int) -> nn.Module:
    """Return a 3x3 (3x3x3) convolution with stride 1, no bias and He initialisation."""
    convolution = CONVOLUTIONS[problem.spatial_dims]
    layer = convolution(problem.in_channels, channels, kernel_size=3, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight)
    return layer


def replace_layer(network: nn.Module, path: str, layer: nn.Module) -> None:
    """Put a layer in place of the one that a network holds under a dotted name.

    >>> network = nn.Sequential(nn.ReLU(), nn.Sequential(nn.ReLU()))
    >>> replace_layer(network, "1.0", nn.Identity())
    >>> network[1][0]
    Identity()
    """
    # `get_submodule` raises where a new MONAI names its layers otherwise.
    network.get_submodule(path)
    parent, _, name = path.rpartition(".")
    network.get_submodule(parent).register_module(name, layer)
