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
    check_learns_from_every_parameter("resnet34", (16, 16), channels=channels, **SMALL)


@pytest.mark.slow
def test_learns_from_volumes_with_every_parameter():
    check_learns_from_every_parameter("resnet34", (16, 16, 16), **SMALL)


def test_learns_with_its_standard_stem():
    check_learns_from_every_parameter("resnet34", (64, 64), stem="standard")


def test_follows_from_its_seed():
    check_repeats("resnet34", (16, 16), **SMALL)


def test_has_the_parameters_of_the_published_table():
    # 3x3 convolutions (weights 9 in out), batch norms (2 out), strided 1x1 shortcuts.
    def block(channels_in, channels_out):
        shortcut = (
            channels_in * channels_out + 2 * channels_out if channels_in != channels_out else 0
        )
        return 9 * channels_in * channels_out + 9 * channels_out**2 + 4 * channels_out + shortcut

    stages = zip([64, 64, 128, 256], [64, 128, 256, 512], [3, 4, 6, 3], strict=True)
    body = sum(block(a, b) + (n - 1) * block(b, b) for a, b, n in stages)
    stem, classifier = 49 * 3 * 64 + 2 * 64, 512 * 10 + 10
    assert count_parameters("resnet34", stem="standard") == stem + body + classifier


def test_refuses_images_smaller_than_its_strides():
    with pytest.raises(InputError, match="resnet34 divides an image's sides by 32.*28 x 28"):
        build("resnet34", (28, 28), stem="standard")
    with pytest.raises(InputError, match="needs at least 8 px.*use larger images"):
        build("resnet34", (7, 7), **SMALL)
