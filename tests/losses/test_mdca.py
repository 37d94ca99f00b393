from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss

LOGITS = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]], dtype=torch.float64).log()
LABELS = torch.tensor([0, 0])
CROSS_ENTROPY = -(log(0.7) + log(0.5)) / 2


def test_matches_a_value_worked_out_by_hand():
    # Mean predictions 0.6, 0.225, 0.175 against the shares 1, 0, 0.
    difference = (0.4 + 0.225 + 0.175) / 3
    value = make_loss("mdca", num_classes=3, beta=2)(LOGITS, LABELS)
    assert value.item() == pytest.approx(CROSS_ENTROPY + 2 * difference)


def test_is_cross_entropy_where_mean_prediction_and_shares_agree():
    logits = torch.tensor([[0.9, 0.1], [0.1, 0.9]], dtype=torch.float64).log()
    value = make_loss("mdca", num_classes=2)(logits, torch.tensor([1, 0]))
    assert value.item() == pytest.approx(-log(0.1))


def test_without_weight_is_cross_entropy():
    value = make_loss("mdca", num_classes=3, beta=0)(LOGITS, LABELS)
    assert value.item() == pytest.approx(CROSS_ENTROPY)


def test_refuses_a_negative_weight():
    with pytest.raises(InputError, match="beta must be a number >= 0, got -1"):
        make_loss("mdca", num_classes=3, beta=-1)
