"""Networks by name: images (n, channels, *spatial) in, logits (n, classes) out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from pipeline.arguments import require_known
from pipeline.networks.cifar_resnet110 import cifar_resnet110
from pipeline.networks.cifar_wide_resnet26_10 import cifar_wide_resnet26_10
from pipeline.networks.densenet import cifar_densenet121, densenet, densenet121
from pipeline.networks.efficientnet_b0 import efficientnet_b0
from pipeline.networks.parts.problem import Problem
from pipeline.networks.resnet import cifar_resnet50, resnet10, resnet18, resnet34, resnet50
from pipeline.networks.seresnet50 import seresnet50
from pipeline.networks.vit import vit

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "cifar_densenet121": cifar_densenet121,
    "cifar_resnet110": cifar_resnet110,
    "cifar_resnet50": cifar_resnet50,
    "cifar_wide_resnet26_10": cifar_wide_resnet26_10,
    "densenet": densenet,
    "densenet121": densenet121,
    "efficientnet_b0": efficientnet_b0,
    "resnet10": resnet10,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "seresnet50": seresnet50,
    "vit": vit,
}
"""Each takes a `Problem` and the arguments of its config; its key is its name."""


def make_network(
    kind: str,
    *,
    spatial_dims: int,
    in_channels: int,
    num_classes: int,
    image_size: Sequence[int],
    **arguments: Any,
) -> nn.Module:
    """Return a network with freshly drawn weights, from torch's global generator.

    Parameters
    ----------
    kind : str
        A key of `NETWORKS`.
    spatial_dims : {2, 3}
        Images or volumes.
    in_channels : int
        1 for grey, 3 for colour.
    num_classes : int
        Logits a case.
    image_size : sequence of int, (spatial_dims,)
        Sides in pixels.
    **arguments
        Those of the network.

    Raises
    ------
    InputError
        If the kind or an argument is unknown, or the images are too small for it.

    Examples
    --------
    >>> image = {"spatial_dims": 2, "in_channels": 1, "num_classes": 2, "image_size": (28, 28)}
    >>> make_network("densenet121", depth=3, **image)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: unknown argument 'depth' of network 'densenet121';
    known arguments: stem
    """
    require_network(kind, arguments)
    problem = Problem(spatial_dims, in_channels, num_classes, tuple(image_size))
    return NETWORKS[kind](problem, **arguments)


def require_network(kind: str, arguments: Mapping[str, Any]) -> None:
    """Raise `InputError` unless a network is known and has these arguments; builds nothing."""
    require_known("network", kind, NETWORKS, arguments, given=("problem",))
