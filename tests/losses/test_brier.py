import pytest
import torch
from torch.nn.functional import one_hot

from pipeline.losses import make_loss


def test_matches_a_value_worked_out_by_hand():
    logits = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64).log()
    value = make_loss("brier", num_classes=3)(logits, torch.tensor([0]))
    assert value.item() == pytest.approx(0.3**2 + 0.2**2 + 0.1**2)


def test_is_zero_for_certain_and_right_predictions():
    labels = torch.arange(4)
    assert make_loss("brier", num_classes=4)(1e4 * one_hot(labels, 4).float(), labels) == 0


def test_is_two_for_certain_and_wrong_predictions():
    labels = torch.arange(4)
    logits = 1e4 * one_hot((labels + 1) % 4, 4).float()
    assert make_loss("brier", num_classes=4)(logits, labels) == 2


def test_is_zero_at_the_true_probabilities():
    truth = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]], dtype=torch.float64)
    value = make_loss("brier", num_classes=3)(truth.log(), truth)
    assert value.item() == pytest.approx(0, abs=1e-30)
