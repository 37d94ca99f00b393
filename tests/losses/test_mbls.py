from math import exp, log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss

LOGITS = torch.tensor([[12.0, 1.0, -3.0]], dtype=torch.float64)
LABELS = torch.tensor([0])
CROSS_ENTROPY = log(1 + exp(-11) + exp(-15))


def test_matches_a_value_worked_out_by_hand():
    value = make_loss("mbls", num_classes=3)(LOGITS, LABELS)
    assert value.item() == pytest.approx(CROSS_ENTROPY + 0.1 * (0 + (11 - 10) + (15 - 10)))


@pytest.mark.parametrize("arguments", [{"margin": 15}, {"weight": 0}])
def test_is_cross_entropy_inside_the_margin_or_without_weight(arguments):
    value = make_loss("mbls", num_classes=3, **arguments)(LOGITS, LABELS)
    assert value.item() == pytest.approx(CROSS_ENTROPY)


def test_gradient_matches_finite_differences_beyond_the_margin():
    logits = torch.tensor([[12.0, 1.0, -3.0], [-9.0, 8.0, 2.0]], dtype=torch.float64)
    loss, labels = make_loss("mbls", num_classes=3, weight=1), torch.tensor([2, 1])
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), (logits.requires_grad_(),))


@pytest.mark.parametrize("argument", ["margin", "weight"])
def test_refuses_a_negative_setting(argument):
    with pytest.raises(InputError, match=f"{argument} must be a number >= 0, got -1"):
        make_loss("mbls", num_classes=3, **{argument: -1})
