import pytest

from tests.networks.building import count_parameters


def test_has_the_published_number_of_parameters():
    # 28.1 million for 1,000 classes (Hu et al. 2018, section 4).
    counted = count_parameters("seresnet50", size=(224, 224), num_classes=1000)
    assert counted == pytest.approx(28.1e6, rel=0.01)
