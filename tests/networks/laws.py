"""What holds for every network."""

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


def check_learns_from_every_parameter(kind, size, *, channels=1, **arguments):
    """One row of logits a case comes out, and their gradient reaches every parameter."""
    network = build(kind, size, channels=channels, **arguments)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        logits = network(draw_images(size, channels=channels))
    assert logits.shape == (CASES, 3)
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
    unreached = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert unreached == []


def check_repeats(kind, size, **arguments):
    """The same seed gives the same weights and logits, another seed others."""
    images = draw_images(size)
    first, again, other = (build(kind, size, seed=seed, **arguments).eval() for seed in (0, 0, 1))
    with torch.no_grad():
        assert torch.equal(first(images), again(images))
        assert not torch.equal(first(images), other(images))


def count_parameters(kind, *, size=(32, 32), channels=3, num_classes=10, **arguments):
    """Return the number of trainable numbers, without allocating them."""
    with torch.device("meta"):
        network = build(kind, size, channels=channels, num_classes=num_classes, **arguments)
    return sum(parameter.numel() for parameter in network.parameters())
