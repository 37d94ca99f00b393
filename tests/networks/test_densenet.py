import pytest

from pipeline.errors import InputError
from tests.networks.building import build, count_parameters
from tests.networks.test_laws import THIN_DENSENET as THIN
from tests.networks.test_laws import require_learning


@pytest.mark.parametrize("stem", ["small", "standard", "auto"])
@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_learns_from_images_and_volumes_of_32_pixels_with_any_stem(spatial_dims, stem):
    require_learning("densenet", spatial_dims * (32,), stem=stem, **THIN)


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


def test_densenet121_has_the_published_number_of_parameters():
    # 8.0 million for 1,000 classes (Huang et al. 2017, as counted by model zoos).
    counted = count_parameters("densenet121", size=(224, 224), num_classes=1000)
    assert counted == pytest.approx(7.98e6, rel=0.01)


def test_cifar_densenet121_has_the_published_number_of_parameters():
    assert count_parameters("cifar_densenet121") == pytest.approx(7.0e6, rel=0.01)
