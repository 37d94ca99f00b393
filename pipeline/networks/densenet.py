"""DenseNets of several sizes, 2D and 3D: thin ones train in seconds on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from pipeline.networks.parts.pooling import make_pooling_repeatable
from pipeline.networks.parts.problem import Problem, Stem, takes_small_stem
from pipeline.networks.parts.stem import replace_layer, small_stem


@dataclass(frozen=True)
class _Growth:
    """Layers of each dense block, channels added by each layer, channels after the stem."""

    name: str
    blocks: Sequence[int]
    rate: int
    first: int


def densenet(
    problem: Problem,
    *,
    block_config: Sequence[int],
    growth_rate: int,
    init_features: int,
    stem: Stem = "standard",
) -> nn.Module:
    """Return a DenseNet (Huang et al. 2017, arXiv:1608.06993) of the given size.

    Parameters
    ----------
    problem : Problem
        Images and classes.
    block_config : sequence of int
        Layers of each dense block; the sides are halved between blocks.
    growth_rate : int
        Channels that each layer adds.
    init_features : int
        Channels after the stem.
    stem : {"standard", "small", "auto"}
        7x7 stride 2 and a max-pool; 3x3 stride 1 and no pool; or what the images have room for.

    Raises
    ------
    InputError
        If a side is smaller than the total stride: 2 for each block but the last, times 4 with
        the standard stem.
    """
    growth = _Growth("densenet", blocks=block_config, rate=growth_rate, first=init_features)
    return _dense_network(growth, problem, stem=stem)


def densenet121(problem: Problem, *, stem: Stem = "standard") -> nn.Module:
    """Return the `densenet` of 121 layers (Huang et al. 2017, arXiv:1608.06993, table 1)."""
    return _dense_network(_of_121_layers("densenet121"), problem, stem=stem)


def cifar_densenet121(problem: Problem) -> nn.Module:
    """Return `densenet121` with the small stem: 7.0 million parameters for 10 classes.

    The network of Mukhoti et al. 2020 (arXiv:2002.09437) for 32-pixel images.
    """
    return _dense_network(_of_121_layers("cifar_densenet121"), problem, stem="small")


def _of_121_layers(name: str) -> _Growth:
    return _Growth(name, blocks=(6, 12, 24, 16), rate=32, first=64)


def _dense_network(growth: _Growth, problem: Problem, *, stem: Stem) -> nn.Module:
    """Return MONAI's DenseNet; the small stem replaces 7x7 stride 2 and pool by 3x3 stride 1."""
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
    make_pooling_repeatable(network)
    return network
