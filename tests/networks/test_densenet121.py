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
    check_learns_from_every_parameter("densenet121", (16, 16), channels=channels, **SMALL)


@pytest.mark.slow
def test_learns_from_volumes_with_every_parameter():
    check_learns_from_every_parameter("densenet121", (16, 16, 16), **SMALL)


def test_learns_with_its_standard_stem():
    check_learns_from_every_parameter("densenet121", (64, 64), stem="standard")


def test_follows_from_its_seed():
    check_repeats("densenet121", (16, 16), **SMALL)


def test_has_the_published_number_of_parameters():
    # 8.0 million for 1,000 classes (Huang et al. 2017, as counted by model zoos).
    counted = count_parameters("densenet121", size=(224, 224), num_classes=1000)
    assert counted == pytest.approx(7.98e6, rel=0.01)


def test_refuses_images_smaller_than_its_strides():
    with pytest.raises(InputError, match="densenet121 divides an image's sides by 32.*28 x 28"):
        build("densenet121", (28, 28), stem="standard")
    with pytest.raises(InputError, match="needs at least 8 px.*use larger images"):
        build("densenet121", (7, 7), **SMALL)
