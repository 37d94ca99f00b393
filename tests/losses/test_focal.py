from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss

LOGITS = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]], dtype=torch.float64).log()
LABELS = torch.tensor([0, 2])


def test_matches_a_value_worked_out_by_hand():
    value = make_loss("focal", num_classes=3, gamma=2)(LOGITS, LABELS)
    assert value.item() == pytest.approx(-(0.3**2 * log(0.7) + 0.75**2 * log(0.25)) / 2)


def test_cubes_the_doubt_unless_told():
    value = make_loss("focal", num_classes=3)(LOGITS[:1], LABELS[:1])
    assert value.item() == pytest.approx(-(0.3**3) * log(0.7))


def test_without_exponent_is_cross_entropy():
    plain = make_loss("cross_entropy", num_classes=3)(LOGITS, LABELS)
    torch.testing.assert_close(make_loss("focal", num_classes=3, gamma=0)(LOGITS, LABELS), plain)


def test_never_exceeds_cross_entropy():
    logits = 5 * torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(100) % 3
    focal = make_loss("focal", num_classes=3).per_case(logits, labels)
    assert (focal <= make_loss("cross_entropy", num_classes=3).per_case(logits, labels)).all()


@pytest.mark.parametrize("gamma", [0, 0.01, 0.5, 1.0])
def test_gradient_is_finite_without_doubt_for_small_exponents(gamma):
    logits = torch.tensor([[1e4, 0.0]], requires_grad=True)
    make_loss("focal", num_classes=2, gamma=gamma)(logits, torch.tensor([0])).backward()
    torch.testing.assert_close(logits.grad, torch.zeros(1, 2))


def test_refuses_a_negative_exponent():
    with pytest.raises(InputError, match="gamma must be a number >= 0, got -1"):
        make_loss("focal", num_classes=3, gamma=-1)
