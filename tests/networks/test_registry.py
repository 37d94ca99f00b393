from pathlib import Path

import pytest

from pipeline.config import NetworkConfig, read_config
from pipeline.errors import InputError
from pipeline.networks import NETWORKS, make_network
from pipeline.networks.parts.problem import Problem

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs/networks").glob("*.yaml"))
GREY = {"spatial_dims": 2, "in_channels": 1, "num_classes": 2, "image_size": (28, 28)}


def test_every_key_is_a_function_and_every_module_and_its_test_file_hold_some():
    modules = {path.stem for path in (ROOT / "pipeline/networks").glob("[a-z]*.py")}
    tests = {
        path.stem.removeprefix("test_") for path in (ROOT / "tests/networks").glob("test_*.py")
    }
    assert list(NETWORKS) == [make.__name__ for make in NETWORKS.values()]
    assert {make.__module__.split(".")[-1] for make in NETWORKS.values()} == modules
    assert modules <= tests


def test_every_key_has_a_config():
    assert {read_config(path, NetworkConfig).kind for path in CONFIGS} == set(NETWORKS)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_builds_for_images_of_64_pixels(path):
    config = read_config(path, NetworkConfig)
    image = GREY | {"image_size": (64, 64)}
    assert make_network(config.kind, **image, **config.arguments) is not None


def test_refuses_a_network_that_does_not_exist():
    with pytest.raises(InputError, match="unknown network 'resnet11'; known networks: cifar_"):
        make_network("resnet11", **GREY)


def test_refuses_an_argument_that_a_network_does_not_have():
    with pytest.raises(
        InputError, match="unknown argument 'width' .* known arguments: widths, stem"
    ):
        make_network("resnet18", width=8, **GREY)


def test_refuses_an_unknown_stem():
    with pytest.raises(InputError, match="stem must be one of standard, small, auto, got 'tiny'"):
        make_network("resnet18", stem="tiny", **GREY)


def test_refuses_a_number_of_widths_that_is_not_that_of_the_stages():
    with pytest.raises(InputError, match=r"resnet18 takes 4 widths, got \[8, 16\]"):
        make_network("resnet18", widths=[8, 16], stem="small", **GREY)


def test_refuses_sides_that_are_not_one_a_dimension():
    with pytest.raises(InputError, match="2 or 3 spatial dimensions.* got 3 and the sides 8 x 8"):
        Problem(spatial_dims=3, in_channels=1, num_classes=2, image_size=(8, 8))
