"""MONAI's DenseNet with its stem open: the shared part of every densenet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from pipeline.networks.parts.problem import Problem, Stem, require_room, require_stem


@dataclass(frozen=True)
class Growth:
    """Layers of each dense block, channels added by each layer, channels after the stem."""

    name: str
    blocks: Sequence[int]
    rate: int
    first: int


def dense_network(growth: Growth, problem: Problem, *, stem: Stem) -> nn.Module:
    """Return MONAI's DenseNet; the small stem replaces 7x7 stride 2 and pool by 3x3 stride 1.

    Raises
    ------
    InputError
        If a side is smaller than the total stride: 2 for each block but the last, times 4 with
        the standard stem.
    """
    # MONAI costs seconds to import: only who trains a MONAI network pays.
    from monai.networks.nets.densenet import DenseNet

    require_stem(stem)
    small = stem == "small"
    stride = 2 ** (len(growth.blocks) - 1) * (1 if small else 4)
    advice = "use fewer blocks" if small else "use stem: small or fewer blocks"
    require_room(growth.name, problem, stride=stride, advice=advice)
    network = DenseNet(
        spatial_dims=problem.spatial_dims,
        in_channels=problem.in_channels,
        out_channels=problem.num_classes,
        init_features=growth.first,
        growth_rate=growth.rate,
        block_config=tuple(growth.blocks),
    )
    if small:
        network.features.conv0 = small_stem(problem, channels=growth.first)
        network.features.pool0 = nn.Identity()
    return network


def small_stem(problem: Problem, *, channels: int) -> nn.Module:
    """Return a 3x3 (3x3x3) convolution with stride 1 and He initialisation."""
    convolution = nn.Conv2d if problem.spatial_dims == 2 else nn.Conv3d
    layer = convolution(problem.in_channels, channels, kernel_size=3, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight)
    return layer
