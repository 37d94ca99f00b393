"""MONAI's DenseNet with its stem open: the shared part of every densenet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from pipeline.networks.parts.problem import Problem, Stem, takes_small_stem
from pipeline.networks.parts.stem import replace_layer, small_stem


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

    stride = 4 * 2 ** (len(growth.blocks) - 1)
    small = takes_small_stem(stem, problem, name=growth.name, stride=stride)
    network = DenseNet(
        spatial_dims=problem.spatial_dims,
        in_channels=problem.in_channels,
        out_channels=problem.num_classes,
        init_features=growth.first,
        growth_rate=growth.rate,
        block_config=tuple(growth.blocks),
    )
    if small:
        replace_layer(network, "features.conv0", small_stem(problem, channels=growth.first))
        replace_layer(network, "features.pool0", nn.Identity())
    return network
