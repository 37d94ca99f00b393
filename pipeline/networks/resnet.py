"""ResNets of several depths: residual blocks in four stages, 2D and 3D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from pipeline.errors import InputError
from pipeline.networks.parts.pooling import make_pooling_repeatable
from pipeline.networks.parts.problem import Problem, Stem, takes_small_stem

WIDTHS = (64, 128, 256, 512)
"""Channels of the four stages, He et al. 2016 (arXiv:1512.03385), table 1."""


@dataclass(frozen=True)
class _Depth:
    """The kind of a resnet's blocks and their number in each of the four stages."""

    name: str
    block: Literal["basic", "bottleneck"]
    layers: tuple[int, int, int, int]


def resnet10(
    problem: Problem, *, widths: Sequence[int] = WIDTHS, stem: Stem = "standard"
) -> nn.Module:
    """Return a ResNet-10 of two-convolution blocks (He et al. 2016, arXiv:1512.03385).

    Its shortcuts are strided 1x1 convolutions without bias (option B): MONAI's option A, its
    default for resnet18 and resnet34, cuts the gradient off in its zero-padded shortcuts.

    Parameters
    ----------
    problem : Problem
        Images and classes.
    widths : sequence of four int
        Channels of the stages, before a bottleneck's fourfold expansion.
    stem : {"standard", "small", "auto"}
        7x7 stride 2 and a max-pool; 3x3 stride 1 and no pool; or what the images have room for.

    Raises
    ------
    InputError
        If a side is smaller than the total stride (32, or 8 with the small stem).
    """
    depth = _Depth("resnet10", block="basic", layers=(1, 1, 1, 1))
    return _residual_network(depth, problem, widths=widths, stem=stem)


def resnet18(
    problem: Problem, *, widths: Sequence[int] = WIDTHS, stem: Stem = "standard"
) -> nn.Module:
    """Return a ResNet-18 of two-convolution blocks; arguments and errors as of `resnet10`."""
    depth = _Depth("resnet18", block="basic", layers=(2, 2, 2, 2))
    return _residual_network(depth, problem, widths=widths, stem=stem)


def resnet34(
    problem: Problem, *, widths: Sequence[int] = WIDTHS, stem: Stem = "standard"
) -> nn.Module:
    """Return a ResNet-34 of two-convolution blocks; arguments and errors as of `resnet10`."""
    depth = _Depth("resnet34", block="basic", layers=(3, 4, 6, 3))
    return _residual_network(depth, problem, widths=widths, stem=stem)


def resnet50(
    problem: Problem, *, widths: Sequence[int] = WIDTHS, stem: Stem = "standard"
) -> nn.Module:
    """Return a ResNet-50 of bottleneck blocks; arguments and errors as of `resnet10`."""
    depth = _Depth("resnet50", block="bottleneck", layers=(3, 4, 6, 3))
    return _residual_network(depth, problem, widths=widths, stem=stem)


def cifar_resnet50(problem: Problem) -> nn.Module:
    """Return `resnet50` with the small stem: 23.5 million parameters for 10 classes.

    The network of Mukhoti et al. 2020 (arXiv:2002.09437) for 32-pixel images.
    """
    depth = _Depth("cifar_resnet50", block="bottleneck", layers=(3, 4, 6, 3))
    return _residual_network(depth, problem, widths=WIDTHS, stem="small")


def _residual_network(
    depth: _Depth, problem: Problem, *, widths: Sequence[int], stem: Stem
) -> nn.Module:
    """Return MONAI's ResNet of a depth."""
    # MONAI costs seconds to import: only who trains a MONAI network pays.
    from monai.networks.nets.resnet import ResNet

    if len(widths) != len(depth.layers):
        message = f"{depth.name} takes {len(depth.layers)} widths, got {list(widths)}"
        raise InputError(message)
    small = takes_small_stem(stem, problem, name=depth.name, stride=32)
    network = ResNet(
        block=depth.block,
        layers=list(depth.layers),
        block_inplanes=list(widths),
        spatial_dims=problem.spatial_dims,
        n_input_channels=problem.in_channels,
        conv1_t_size=3 if small else 7,
        conv1_t_stride=1 if small else 2,
        no_max_pool=small,
        shortcut_type="B",
        bias_downsample=False,
        num_classes=problem.num_classes,
    )
    make_pooling_repeatable(network)
    return network
