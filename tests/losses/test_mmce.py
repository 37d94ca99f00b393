from math import exp, log, sqrt

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss


def test_matches_a_value_worked_out_by_hand():
    logits = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]], dtype=torch.float64).log()
    labels = torch.tensor([0, 0, 0])
    pull = [0.1 / 2, 0.2 / 2, -0.6 / 1]
    square = pull[0] ** 2 + pull[1] ** 2 + pull[2] ** 2
    square += 2 * pull[0] * pull[1] * exp(-0.1 / 0.4)
    square += 2 * pull[0] * pull[2] * exp(-0.3 / 0.4)
    square += 2 * pull[1] * pull[2] * exp(-0.2 / 0.4)
    cross_entropy = -(log(0.9) + log(0.8) + log(0.4)) / 3
    value = make_loss("mmce", num_classes=2)(logits, labels)
    assert value.item() == pytest.approx(cross_entropy + 2 * sqrt(square))


def test_double_sums_of_the_paper_agree():
    """Kumar et al. write the weighted form as three double sums over right and wrong cases."""
    random = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(30, 4, generator=random, dtype=torch.float64)
    labels = torch.randint(4, (30,), generator=random)
    r, predicted = logits.softmax(1).max(1)
    right, wrong = r[predicted == labels], r[predicted != labels]

    def kernel_sum(a, b, pull_a, pull_b):
        kernel = torch.exp(-(a[:, None] - b).abs() / 0.4)
        return (pull_a[:, None] * pull_b * kernel).sum() / (len(a) * len(b))

    square = kernel_sum(wrong, wrong, wrong, wrong)
    square += kernel_sum(right, right, 1 - right, 1 - right)
    square -= 2 * kernel_sum(right, wrong, 1 - right, wrong)
    cross_entropy = make_loss("cross_entropy", num_classes=4)(logits, labels)
    value = make_loss("mmce", num_classes=4, weight=1)(logits, labels)
    torch.testing.assert_close(value, cross_entropy + square.sqrt())


def test_without_weight_is_cross_entropy():
    logits, labels = (
        torch.randn(6, 3, generator=torch.Generator().manual_seed(0)),
        torch.arange(6) % 3,
    )
    plain = make_loss("cross_entropy", num_classes=3)(logits, labels)
    torch.testing.assert_close(make_loss("mmce", num_classes=3, weight=0)(logits, labels), plain)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("weight", "weight must be a number >= 0"),
        ("kernel_width", "kernel_width must be a number > 0"),
    ],
)
def test_refuses_a_negative_setting(argument, message):
    with pytest.raises(InputError, match=message):
        make_loss("mmce", num_classes=3, **{argument: -1})
