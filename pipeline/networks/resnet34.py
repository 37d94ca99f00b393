"""ResNet-34: residual blocks in four stages, 2D and 3D."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from pipeline.networks.parts.problem import Problem, Stem
from pipeline.networks.parts.residual import WIDTHS, Depth, residual_network

DEPTH = Depth("resnet34", block="basic", layers=(3, 4, 6, 3))


def resnet34(
    problem: Problem, *, widths: Sequence[int] = WIDTHS, stem: Stem = "standard"
) -> nn.Module:
    """Return a ResNet-34 of two-convolution blocks (He et al. 2016, arXiv:1512.03385, table 1).

    Arguments, layers and errors are those of `residual_network`.
    """
    return residual_network(DEPTH, problem, widths=widths, stem=stem)
