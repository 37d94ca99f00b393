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
    check_learns_from_every_parameter("resnet50", (16, 16), channels=channels, **SMALL)


def test_learns_from_volumes_with_every_parameter():
    check_learns_from_every_parameter("resnet50", (16, 16, 16), **SMALL)


def test_learns_with_its_standard_stem():
    check_learns_from_every_parameter("resnet50", (64, 64), stem="standard")


def test_follows_from_its_seed():
    check_repeats("resnet50", (16, 16), **SMALL)


def test_has_the_published_number_of_parameters():
    # 25.6 million for 1,000 classes (He et al. 2016 as counted by model zoos).
    counted = count_parameters("resnet50", size=(224, 224), num_classes=1000)
    assert counted == pytest.approx(25.6e6, rel=0.01)


def test_refuses_images_smaller_than_its_strides():
    with pytest.raises(InputError, match="resnet50 divides an image's sides by 32.*28 x 28"):
        build("resnet50", (28, 28), stem="standard")
    with pytest.raises(InputError, match="needs at least 8 px.*use larger images"):
        build("resnet50", (7, 7), **SMALL)
