"""What holds for every network: a new one is put through it by being registered."""

from dataclasses import dataclass, field
from inspect import signature

import pytest
import torch

from pipeline.errors import InputError
from pipeline.networks import NETWORKS
from tests.networks.building import build, draw_images

SMALL = {"stem": "small"}
THIN_DENSENET = {"block_config": [2, 2, 2], "growth_rate": 8, "init_features": 16}
THIN_VIT = {"patch_size": 4, "hidden_size": 16, "mlp_dim": 32, "num_layers": 2, "num_heads": 4}


@dataclass(frozen=True)
class Example:
    """A network small enough to try, the sides of its images and the smallest it takes."""

    side: int
    room: int
    arguments: dict = field(default_factory=dict)
    slow_volumes: bool = False


EXAMPLES = {
    "cifar_densenet121": Example(16, 8, slow_volumes=True),
    "cifar_resnet110": Example(8, 4, slow_volumes=True),
    "cifar_resnet50": Example(16, 8, slow_volumes=True),
    "cifar_wide_resnet26_10": Example(8, 4, slow_volumes=True),
    "densenet": Example(8, 4, SMALL | THIN_DENSENET),
    "densenet121": Example(16, 8, SMALL, slow_volumes=True),
    "efficientnet_b0": Example(32, 16, SMALL),
    "resnet10": Example(16, 8, SMALL),
    "resnet18": Example(16, 8, SMALL),
    "resnet34": Example(16, 8, SMALL, slow_volumes=True),
    "resnet50": Example(16, 8, SMALL),
    "seresnet50": Example(16, 8, SMALL, slow_volumes=True),
    "vit": Example(8, 4, THIN_VIT),
}
VOLUMES = [
    pytest.param(
        kind, marks=[pytest.mark.slow] if kind in EXAMPLES and EXAMPLES[kind].slow_volumes else []
    )
    for kind in NETWORKS
]
WITH_STEM = [kind for kind, make in NETWORKS.items() if "stem" in signature(make).parameters]


def require_learning(kind, size, *, channels=1, **arguments):
    """One row of logits a case comes out, and their gradient reaches every parameter."""
    network = build(kind, size, channels=channels, **arguments)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        logits = network(draw_images(size, channels=channels))
    assert logits.shape == (4, 3)
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
    unreached = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert unreached == []


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", NETWORKS)
def test_learns_from_images_with_every_parameter(kind, channels):
    example = EXAMPLES[kind]
    require_learning(kind, 2 * (example.side,), channels=channels, **example.arguments)


@pytest.mark.parametrize("kind", VOLUMES)
def test_learns_from_volumes_with_every_parameter(kind):
    example = EXAMPLES[kind]
    require_learning(kind, 3 * (example.side,), **example.arguments)


@pytest.mark.parametrize("kind", WITH_STEM)
def test_learns_with_its_standard_stem(kind):
    require_learning(kind, (64, 64), **EXAMPLES[kind].arguments | {"stem": "standard"})


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(kind):
    size, arguments = 2 * (EXAMPLES[kind].side,), EXAMPLES[kind].arguments
    images = draw_images(size)
    first, again, other = (build(kind, size, seed=seed, **arguments).eval() for seed in (0, 0, 1))
    with torch.no_grad():
        assert torch.equal(first(images), again(images))
        assert not torch.equal(first(images), other(images))


@pytest.mark.parametrize("kind", NETWORKS)
def test_refuses_images_smaller_than_its_strides(kind):
    side = EXAMPLES[kind].room - 1
    expected = f"needs at least {side + 1} px, got {side} x {side}: use (larger images|smaller p)"
    with pytest.raises(InputError, match=expected):
        build(kind, (side, side), **EXAMPLES[kind].arguments)


@pytest.mark.parametrize("kind", [kind for kind in WITH_STEM if kind != "densenet"])
def test_refuses_images_smaller_than_the_strides_of_its_standard_stem(kind):
    with pytest.raises(InputError, match=f"{kind} divides an image's sides by 32.*28 x 28: use st"):
        build(kind, (28, 28), **EXAMPLES[kind].arguments | {"stem": "standard"})
