import pytest

from pipeline.errors import InputError
from tests.networks.laws import (
    build,
    check_learns_from_every_parameter,
    check_repeats,
    count_parameters,
)

THIN = {"block_config": [2, 2, 2], "growth_rate": 8, "init_features": 16}


@pytest.mark.parametrize("stem", ["small", "standard", "auto"])
@pytest.mark.parametrize("channels", [1, 3])
def test_learns_from_images_with_every_parameter(channels, stem):
    check_learns_from_every_parameter("densenet", (32, 32), channels=channels, stem=stem, **THIN)


@pytest.mark.parametrize("stem", ["small", "standard"])
def test_learns_from_volumes_with_every_parameter(stem):
    check_learns_from_every_parameter("densenet", (32, 32, 32), stem=stem, **THIN)


def test_follows_from_its_seed():
    check_repeats("densenet", (8, 8), stem="small", **THIN)


def test_of_121_layers_is_densenet121():
    published = {"block_config": [6, 12, 24, 16], "growth_rate": 32, "init_features": 64}
    assert count_parameters("densenet", **published) == count_parameters("densenet121")


def test_refuses_images_smaller_than_its_strides():
    # The standard stem divides by 4, and each of the two transitions by 2.
    with pytest.raises(InputError, match="needs at least 16 px, got 8 x 8: use stem: small"):
        build("densenet", (8, 8), stem="standard", **THIN)
    with pytest.raises(InputError, match="needs at least 4 px, got 3 x 3: use larger images"):
        build("densenet", (3, 3), stem="auto", **THIN)


def test_refuses_to_guess_its_size():
    with pytest.raises(InputError, match="network 'densenet' needs the argument 'block_config'"):
        build("densenet", (8, 8))
