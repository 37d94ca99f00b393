"""Networks with weights drawn from a seed, and images for them."""

import torch

from pipeline.networks import make_network

CASES = 4


def build(kind, size, *, channels=1, num_classes=3, seed=0, **arguments):
    """Return a network whose weights are drawn from a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make_network(
            kind,
            spatial_dims=len(size),
            in_channels=channels,
            num_classes=num_classes,
            image_size=size,
            **arguments,
        )


def draw_images(size, *, channels=1):
    """Return four images of noise."""
    return torch.randn(CASES, channels, *size, generator=torch.Generator().manual_seed(1))


def count_parameters(kind, *, size=(32, 32), channels=3, num_classes=10, **arguments):
    """Return the number of trainable numbers, without allocating them."""
    with torch.device("meta"):
        network = build(kind, size, channels=channels, num_classes=num_classes, **arguments)
    return sum(parameter.numel() for parameter in network.parameters())
