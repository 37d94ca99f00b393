"""SE-ResNet-50: residual bottlenecks whose channels are weighted by the whole image."""

from __future__ import annotations

from torch import nn

from pipeline.networks.parts.pooling import make_pooling_repeatable
from pipeline.networks.parts.problem import Problem, Stem, takes_small_stem
from pipeline.networks.parts.stem import replace_layer, small_stem


def seresnet50(problem: Problem, *, stem: Stem = "standard") -> nn.Module:
    """Return MONAI's SE-ResNet-50 (Hu et al. 2018, arXiv:1709.01507, table 1), 2D or 3D.

    Parameters
    ----------
    problem : Problem
        Images and classes.
    stem : {"standard", "small", "auto"}
        7x7 stride 2 and a max-pool; 3x3 stride 1 and no pool; or what the images have room for.

    Raises
    ------
    InputError
        If a side is smaller than the total stride (32, or 8 with the small stem).
    """
    # MONAI costs seconds to import: only who trains a MONAI network pays.
    from monai.networks.nets.senet import SEResNet50

    small = takes_small_stem(stem, problem, name="seresnet50", stride=32)
    network = SEResNet50(
        spatial_dims=problem.spatial_dims,
        in_channels=problem.in_channels,
        num_classes=problem.num_classes,
    )
    if small:
        replace_layer(network, "layer0.conv1", small_stem(problem, channels=64))
        replace_layer(network, "layer0.pool", nn.Identity())
    make_pooling_repeatable(network)
    return network
