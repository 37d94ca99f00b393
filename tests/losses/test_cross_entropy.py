from math import log

import pytest
import torch

from pipeline.losses import make_loss


def test_matches_a_value_worked_out_by_hand():
    logits = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]], dtype=torch.float64).log()
    value = make_loss("cross_entropy", num_classes=3)(logits, torch.tensor([0, 2]))
    assert value.item() == pytest.approx(-(log(0.7) + log(0.25)) / 2)


def test_expects_over_class_probabilities():
    logits = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64).log()
    value = make_loss("cross_entropy", num_classes=3)(logits, torch.tensor([[0.5, 0.25, 0.25]]))
    assert value.item() == pytest.approx(-0.5 * log(0.7) - 0.25 * log(0.2) - 0.25 * log(0.1))


def test_is_least_at_the_true_probabilities():
    truth = torch.tensor([[0.6, 0.3, 0.1]], dtype=torch.float64)
    logits = truth.log().requires_grad_()
    make_loss("cross_entropy", num_classes=3)(logits, truth).backward()
    torch.testing.assert_close(logits.grad, torch.zeros_like(truth))
