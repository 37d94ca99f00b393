import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pipeline.networks.parts.pooling import (
    LargestPool3d,
    MeanPool3d,
    make_pooling_repeatable,
    maximum_of_windows,
    mean_of_windows,
)
from tests.networks.building import build

# Those of the networks: MONAI's transitions, stems of resnets and densenets, stem of SE-ResNet.
MEAN = nn.AvgPool3d(2, stride=2)
STEM = nn.MaxPool3d(3, stride=2, padding=1)
CEIL = nn.MaxPool3d(3, stride=2, ceil_mode=True)
ODD = nn.MaxPool3d((2, 3, 1), stride=(1, 2, 3), padding=(0, 1, 0))


def draw(size, *, seed=0, levels=None):
    """Draw volumes, as integers below `levels` where many values shall be equal."""
    generator = torch.Generator().manual_seed(seed)
    if levels is None:
        return torch.randn(2, 3, *size, generator=generator)
    return torch.randint(levels, (2, 3, *size), generator=generator).float()


def value_and_gradient(pool, images):
    images = images.clone().requires_grad_()
    pooled = pool(images)
    weights = torch.randn(pooled.shape, generator=torch.Generator().manual_seed(9))
    (pooled * weights).sum().backward()
    return pooled.detach(), images.grad


@settings(max_examples=30)
@given(size=st.tuples(*[st.integers(2, 9)] * 3))
def test_means_and_their_gradient_are_torchs_to_rounding(size):
    images = draw(size)
    value, gradient = value_and_gradient(lambda x: mean_of_windows(x, MEAN), images)
    expected, expected_gradient = value_and_gradient(MEAN, images)
    # Eight float32 values in another order.
    torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-6, atol=1e-6)


@settings(max_examples=60)
@given(
    size=st.tuples(*[st.integers(3, 9)] * 3),
    levels=st.sampled_from([None, 1, 3]),
    pool=st.sampled_from([STEM, CEIL, ODD]),
)
def test_maxima_are_torchs_and_equal_values_leave_the_gradient_to_the_first(size, levels, pool):
    images = draw(size, levels=levels)
    value, gradient = value_and_gradient(lambda x: maximum_of_windows(x, pool), images)
    expected, expected_gradient = value_and_gradient(pool, images)
    assert torch.equal(value, expected)
    # A value that several windows choose adds up their gradients in another order.
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-6, atol=1e-6)


def test_nan_is_passed_on():
    images = draw((4, 4, 4))
    images[0, 0, 1, 1, 1] = torch.nan
    expected = STEM(images).isnan()
    assert expected.any()
    assert torch.equal(maximum_of_windows(images, STEM).isnan(), expected)


def test_on_the_cpu_the_bits_are_torchs_own():
    images = draw((8, 8, 8))
    network = nn.Sequential(nn.AvgPool3d(2, stride=2), nn.MaxPool3d(3, stride=2, padding=1))
    expected = value_and_gradient(network, images)
    make_pooling_repeatable(network)
    for found, value in zip(value_and_gradient(network, images), expected, strict=True):
        assert torch.equal(found, value)


THIN = {"block_config": [1, 1], "growth_rate": 4, "init_features": 4}


@pytest.mark.parametrize(
    ("kind", "arguments"), [("densenet", THIN), ("resnet10", {}), ("seresnet50", {})]
)
def test_no_network_keeps_a_pooling_without_a_repeatable_gradient(kind, arguments):
    with torch.device("meta"):
        network = build(kind, (32, 32, 32), **arguments)
    poolings = {type(module) for module in network.modules() if "Pool" in type(module).__name__}
    # To one value a channel torch takes the mean, whose gradient repeats.
    assert poolings <= {MeanPool3d, LargestPool3d, nn.AdaptiveAvgPool3d}
    assert poolings & {MeanPool3d, LargestPool3d}
