import pytest

from pipeline.errors import InputError
from tests.networks.laws import (
    build,
    check_learns_from_every_parameter,
    check_repeats,
    count_parameters,
)

SMALL = {"stem": "small"}


@pytest.mark.parametrize("channels", [1, 3])
def test_learns_from_images_with_every_parameter(channels):
    check_learns_from_every_parameter("efficientnet_b0", (32, 32), channels=channels, **SMALL)


def test_learns_from_volumes_with_every_parameter():
    check_learns_from_every_parameter("efficientnet_b0", (32, 32, 32), **SMALL)


def test_learns_with_its_standard_stem():
    check_learns_from_every_parameter("efficientnet_b0", (64, 64), stem="standard")


def test_follows_from_its_seed():
    check_repeats("efficientnet_b0", (32, 32), **SMALL)


def test_has_the_published_number_of_parameters():
    # 5.3 million for 1,000 classes (Tan and Le 2019, table 2).
    counted = count_parameters("efficientnet_b0", size=(224, 224), num_classes=1000)
    assert counted == pytest.approx(5.3e6, rel=0.01)


def test_refuses_images_smaller_than_its_strides():
    with pytest.raises(InputError, match="efficientnet_b0 divides an image's sides by 32.*28 x 28"):
        build("efficientnet_b0", (28, 28), stem="standard")
    with pytest.raises(InputError, match="needs at least 16 px.*use larger images"):
        build("efficientnet_b0", (15, 15), **SMALL)
