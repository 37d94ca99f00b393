from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss

LOGITS = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64).log()


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (0, -((1 - 0.5 + 0.3) ** 5) * log(0.5)),
        (1, -((1 - 0.3 + 0.2) ** 5) * log(0.3)),
        (2, -((1 - 0.2 + 0.0) ** 5) * log(0.2)),
    ],
)
def test_rival_is_the_largest_probability_below_the_true_one(label, expected):
    value = make_loss("dual_focal", num_classes=3)(LOGITS, torch.tensor([label]))
    assert value.item() == pytest.approx(expected)


def test_a_tie_is_no_rival():
    logits = torch.tensor([[0.4, 0.4, 0.2]], dtype=torch.float64).log()
    value = make_loss("dual_focal", num_classes=3)(logits, torch.tensor([0]))
    assert value.item() == pytest.approx(-((1 - 0.4 + 0.2) ** 5) * log(0.4))


def test_gradient_flows_through_the_rival():
    logits = LOGITS.clone().requires_grad_()
    make_loss("dual_focal", num_classes=3, gamma=1)(logits, torch.tensor([0])).backward()
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    # With gamma 1: d/dz of -(1 - p0 + p1) log p0 = log p0 d(p0 - p1) - (1 - p0 + p1) d(log p0).
    identity = torch.eye(3, dtype=torch.float64)
    slope_p0, slope_p1 = p[0] * (identity[0] - p), p[1] * (identity[1] - p)
    expected = log(0.5) * (slope_p0 - slope_p1) - 0.8 * (identity[0] - p)
    torch.testing.assert_close(logits.grad[0], expected)


def test_without_exponent_is_cross_entropy():
    labels = torch.tensor([1])
    plain = make_loss("cross_entropy", num_classes=3)(LOGITS, labels)
    value = make_loss("dual_focal", num_classes=3, gamma=0)(LOGITS, labels)
    torch.testing.assert_close(value, plain)


def test_refuses_a_negative_exponent():
    with pytest.raises(InputError, match="gamma must be a number >= 0, got -1"):
        make_loss("dual_focal", num_classes=3, gamma=-1)
