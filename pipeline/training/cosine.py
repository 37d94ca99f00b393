"""A last layer whose outputs are cosines, for losses whose margins are defined on them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class CosineLinear(nn.Module):
    """The cosine of the angle between features and each class's direction, in [-1, 1].

    Parameters
    ----------
    linear : Linear
        Gives the directions that training starts from; its bias is dropped.

    References
    ----------
    Cao et al., NeurIPS 2019, arXiv:1906.07413, who normalise weights and features alike.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach().clone())

    def forward(self, features: Tensor) -> Tensor:
        """Return cosines (n, classes) of features (n, width)."""
        # Short features are noise in half precision: lengths are taken in float32.
        with torch.autocast(features.device.type, enabled=False):
            return functional.linear(
                functional.normalize(features.float(), dim=1),
                functional.normalize(self.weight.float(), dim=1),
            )


def put_cosine_head(network: nn.Module) -> None:
    """Replace a network's last linear layer, in place.

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    >>> put_cosine_head(network)
    >>> float(network(torch.ones(3, 4)).detach().abs().max()) <= 1 + 1e-6
    True
    """
    linears = {
        name: module for name, module in network.named_modules() if isinstance(module, nn.Linear)
    }
    path, linear = list(linears.items())[-1]
    parent, _, name = path.rpartition(".")
    network.get_submodule(parent).register_module(name, CosineLinear(linear))
