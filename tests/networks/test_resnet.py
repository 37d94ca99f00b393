import pytest

from tests.networks.building import count_parameters

LAYERS = {"resnet10": (1, 1, 1, 1), "resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}


@pytest.mark.parametrize(("kind", "layers"), LAYERS.items())
def test_has_the_parameters_of_the_published_table(kind, layers):
    # 3x3 convolutions (weights 9 in out), batch norms (2 out), strided 1x1 shortcuts.
    def block(channels_in, channels_out):
        shortcut = (
            channels_in * channels_out + 2 * channels_out if channels_in != channels_out else 0
        )
        return 9 * channels_in * channels_out + 9 * channels_out**2 + 4 * channels_out + shortcut

    stages = zip([64, 64, 128, 256], [64, 128, 256, 512], layers, strict=True)
    body = sum(block(a, b) + (n - 1) * block(b, b) for a, b, n in stages)
    stem, classifier = 49 * 3 * 64 + 2 * 64, 512 * 10 + 10
    assert count_parameters(kind, stem="standard") == stem + body + classifier


def test_resnet50_has_the_published_number_of_parameters():
    # 25.6 million for 1,000 classes (He et al. 2016 as counted by model zoos).
    counted = count_parameters("resnet50", size=(224, 224), num_classes=1000)
    assert counted == pytest.approx(25.6e6, rel=0.01)


def test_cifar_resnet50_has_the_published_number_of_parameters():
    assert count_parameters("cifar_resnet50") == pytest.approx(23.5e6, rel=0.01)
