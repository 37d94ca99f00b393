import pytest

from tests.networks.building import count_parameters


def test_has_the_published_number_of_parameters():
    # 5.3 million for 1,000 classes (Tan and Le 2019, table 2).
    counted = count_parameters("efficientnet_b0", size=(224, 224), num_classes=1000)
    assert counted == pytest.approx(5.3e6, rel=0.01)
