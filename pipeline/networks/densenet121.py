"""DenseNet-121, 2D and 3D."""

from __future__ import annotations

from torch import nn

from pipeline.networks.parts.dense import Growth, dense_network
from pipeline.networks.parts.problem import Problem, Stem

GROWTH = Growth("densenet121", blocks=(6, 12, 24, 16), rate=32, first=64)


def densenet121(problem: Problem, *, stem: Stem = "standard") -> nn.Module:
    """Return a DenseNet-121 (Huang et al. 2017, arXiv:1608.06993, table 1).

    Arguments and errors are those of `dense_network`.
    """
    return dense_network(GROWTH, problem, stem=stem)
