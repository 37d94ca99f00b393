import pytest
import torch

from pipeline.errors import InputError
from tests.networks.building import build, count_parameters, draw_images
from tests.networks.test_laws import THIN_VIT as THIN


def test_is_by_default_as_large_as_published():
    # 22 million with 1,000 classes and patches of 16 (Touvron et al. 2021, table 1).
    counted = count_parameters("vit", size=(224, 224), num_classes=1000, patch_size=16)
    assert counted == pytest.approx(22e6, rel=0.01)


def test_logits_are_not_squashed():
    network = build("vit", (8, 8), **THIN).eval()
    with torch.no_grad():
        network.transformer.classification_head.weight.mul_(1e3)
        assert network(draw_images((8, 8))).abs().max() > 1


def test_refuses_patches_that_do_not_tile_the_image():
    with pytest.raises(InputError, match="must divide every side, got 4 for 8 x 10"):
        build("vit", (8, 10), **THIN)


def test_refuses_heads_that_do_not_share_the_width():
    with pytest.raises(InputError, match="num_heads must divide hidden_size, got 3 for 16"):
        build("vit", (8, 8), **THIN | {"num_heads": 3})
