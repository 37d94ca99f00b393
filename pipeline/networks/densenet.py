"""DenseNet of any depth and growth: thin ones train in seconds on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from pipeline.networks.parts.dense import Growth, dense_network
from pipeline.networks.parts.problem import Problem, Stem


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
        If a side is smaller than the total stride.
    """
    growth = Growth("densenet", blocks=block_config, rate=growth_rate, first=init_features)
    return dense_network(growth, problem, stem=stem)
