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
    check_learns_from_every_parameter("cifar_resnet110", (8, 8), channels=channels)


@pytest.mark.slow
def test_learns_from_volumes_with_every_parameter():
    check_learns_from_every_parameter("cifar_resnet110", (8, 8, 8))


def test_follows_from_its_seed():
    check_repeats("cifar_resnet110", (8, 8))


def test_has_the_parameters_of_the_published_table():
    # 54 blocks of two 3x3 convolutions (9 in out) with batch norms (2 out each).
    def stage(channels_in, channels_out):
        first = 9 * channels_in * channels_out + 9 * channels_out**2 + 4 * channels_out
        return first + 17 * (18 * channels_out**2 + 4 * channels_out)

    body = stage(16, 16) + stage(16, 32) + stage(32, 64)
    stem, classifier = 9 * 3 * 16 + 2 * 16, 64 * 10 + 10
    counted = count_parameters("cifar_resnet110")
    assert counted == stem + body + classifier
    # He et al. 2016, table 6, state it in millions to one decimal.
    assert round(counted / 1e6, 1) == 1.7


def test_refuses_images_smaller_than_its_strides():
    with pytest.raises(InputError, match="needs at least 4 px, got 3 x 3"):
        build("cifar_resnet110", (3, 3))
