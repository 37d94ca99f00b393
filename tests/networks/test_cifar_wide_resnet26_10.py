import pytest

from tests.networks.building import count_parameters


def test_has_the_published_number_of_parameters():
    assert count_parameters("cifar_wide_resnet26_10") == pytest.approx(36.5e6, rel=0.01)
