"""DenseNet-121 as the reference study trains it on 32-pixel images."""

from __future__ import annotations

from torch import nn

from pipeline.networks.parts.dense import Growth, dense_network
from pipeline.networks.parts.problem import Problem

GROWTH = Growth("cifar_densenet121", blocks=(6, 12, 24, 16), rate=32, first=64)


def cifar_densenet121(problem: Problem) -> nn.Module:
    """Return a DenseNet-121 with a 3x3 stem: 7.0 million parameters for 10 classes.

    The network of Mukhoti et al. 2020 (arXiv:2002.09437); errors are those of `dense_network`.
    """
    return dense_network(GROWTH, problem, stem="small")
