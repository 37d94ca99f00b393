from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss


def batch(seed):
    random = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(30, 4, generator=random, dtype=torch.float64)
    return logits, torch.randint(4, (30,), generator=random)


def test_matches_a_value_worked_out_by_hand():
    logits = torch.tensor([[0.8, 0.2], [0.4, 0.6]], dtype=torch.float64).log()
    # The mean predictions are 0.6 and 0.4.
    focal = -(0.2**2 * log(0.8) + 0.4**2 * log(0.6)) / 2
    value = make_loss("gce_focal", num_classes=2, gamma=2)(logits, torch.tensor([0, 1]))
    assert value.item() == pytest.approx(focal + (log(0.6) + log(0.4)) / 2)


def test_without_exponent_is_generative_cross_entropy():
    logits, labels = batch(seed=1)
    expected = make_loss("gce", num_classes=4)(logits, labels)
    value = make_loss("gce_focal", num_classes=4, gamma=0)(logits, labels)
    torch.testing.assert_close(value, expected)


def test_refuses_a_negative_exponent():
    with pytest.raises(InputError, match="gamma must be a number >= 0, got -1"):
        make_loss("gce_focal", num_classes=4, gamma=-1)


@pytest.mark.parametrize("marginal", ["batch", "ema"])
def test_without_weight_is_its_base(marginal):
    logits, labels = batch(seed=2)
    expected = make_loss("focal", num_classes=4)(logits, labels)
    loss = make_loss("gce_focal", num_classes=4, weight=0, marginal=marginal)
    torch.testing.assert_close(loss(logits, labels), expected)


def test_refuses_a_negative_weight():
    with pytest.raises(InputError, match="weight must be a number >= 0, got -1"):
        make_loss("gce_focal", num_classes=4, weight=-1)
