import pytest

from pipeline.errors import InputError
from tests.networks.laws import (
    build,
    check_learns_from_every_parameter,
    check_repeats,
    count_parameters,
)


@pytest.mark.parametrize("channels", [1, 3])
def test_learns_from_images_with_every_parameter(channels):
    check_learns_from_every_parameter("cifar_resnet50", (16, 16), channels=channels)


@pytest.mark.slow
def test_learns_from_volumes_with_every_parameter():
    check_learns_from_every_parameter("cifar_resnet50", (16, 16, 16))


def test_follows_from_its_seed():
    check_repeats("cifar_resnet50", (16, 16))


def test_has_the_published_number_of_parameters():
    assert count_parameters("cifar_resnet50") == pytest.approx(23.5e6, rel=0.01)


def test_refuses_images_smaller_than_its_strides():
    with pytest.raises(InputError, match="needs at least 8 px, got 7 x 7"):
        build("cifar_resnet50", (7, 7))
