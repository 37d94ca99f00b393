from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss

LOGITS = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]], dtype=torch.float64).log()
LABELS = torch.tensor([0, 2])


def test_matches_a_value_worked_out_by_hand():
    value = make_loss("label_smoothing", num_classes=3, epsilon=0.3)(LOGITS[:1], LABELS[:1])
    assert value.item() == pytest.approx(-0.8 * log(0.7) - 0.1 * log(0.2) - 0.1 * log(0.1))


def test_smooths_by_a_twentieth_unless_told():
    expected = torch.nn.CrossEntropyLoss(label_smoothing=0.05)(LOGITS, LABELS)
    torch.testing.assert_close(
        make_loss("label_smoothing", num_classes=3)(LOGITS, LABELS), expected
    )


def test_without_smoothing_is_cross_entropy():
    plain = make_loss("cross_entropy", num_classes=3)(LOGITS, LABELS)
    smooth = make_loss("label_smoothing", num_classes=3, epsilon=0)(LOGITS, LABELS)
    torch.testing.assert_close(smooth, plain)


def test_is_least_at_the_smoothed_label():
    logits = torch.tensor([[0.8, 0.1, 0.1]], dtype=torch.float64).log().requires_grad_()
    make_loss("label_smoothing", num_classes=3, epsilon=0.3)(logits, LABELS[:1]).backward()
    torch.testing.assert_close(logits.grad, torch.zeros_like(logits))


@pytest.mark.parametrize("epsilon", [-0.1, 1.0, "much", True, float("nan")])
def test_refuses_a_share_out_of_range(epsilon):
    with pytest.raises(InputError, match=r"epsilon must be a number in \[0, 1\), got"):
        make_loss("label_smoothing", num_classes=3, epsilon=epsilon)
