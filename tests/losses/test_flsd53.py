from math import log

import pytest
import torch

from pipeline.losses import make_loss

LABEL = torch.tensor([0])


def loss_at(p):
    logits = torch.tensor([[p, 1 - p]], dtype=torch.float64).log()
    return make_loss("flsd53", num_classes=2)(logits, LABEL).item()


@pytest.mark.parametrize(("p", "gamma"), [(0.01, 5), (0.19, 5), (0.21, 3), (0.7, 3), (0.99, 3)])
def test_exponent_is_five_below_a_fifth_and_three_above(p, gamma):
    assert loss_at(p) == pytest.approx(-((1 - p) ** gamma) * log(p))


def test_is_focal_loss_where_no_case_is_doubted():
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 2, generator=random)
    labels = logits.argmax(1)
    expected = make_loss("focal", num_classes=2, gamma=3)(logits, labels)
    torch.testing.assert_close(make_loss("flsd53", num_classes=2)(logits, labels), expected)
