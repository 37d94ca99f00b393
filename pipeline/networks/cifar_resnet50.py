"""ResNet-50 as the reference study trains it on 32-pixel images."""

from __future__ import annotations

from torch import nn

from pipeline.networks.parts.problem import Problem
from pipeline.networks.parts.residual import WIDTHS, Depth, residual_network

DEPTH = Depth("cifar_resnet50", block="bottleneck", layers=(3, 4, 6, 3))


def cifar_resnet50(problem: Problem) -> nn.Module:
    """Return a ResNet-50 with a 3x3 stem: 23.5 million parameters for 10 classes.

    The network of Mukhoti et al. 2020 (arXiv:2002.09437); errors are those of `residual_network`.
    """
    return residual_network(DEPTH, problem, widths=WIDTHS, stem="small")
