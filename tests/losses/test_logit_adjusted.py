from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss

# The class prior is held in float32, whatever the logits.
ROUNDING = 1e-6


def test_matches_a_value_worked_out_by_hand():
    logits = torch.tensor([[0.5, 0.5]], dtype=torch.float64).log()
    loss = make_loss("logit_adjusted", num_classes=2, class_counts=[9, 1])
    assert loss(logits, torch.tensor([1])).item() == pytest.approx(-log(0.1), rel=ROUNDING)


def test_strength_is_an_exponent_of_the_prior():
    logits = torch.zeros(1, 2, dtype=torch.float64)
    loss = make_loss("logit_adjusted", num_classes=2, class_counts=[9, 1], tau=2)
    assert loss(logits, torch.tensor([1])).item() == pytest.approx(-log(1 / 82), rel=ROUNDING)


@pytest.mark.parametrize(
    "arguments", [{"class_counts": [7, 7, 7]}, {"class_counts": [9, 1, 4], "tau": 0}]
)
def test_is_cross_entropy_for_even_classes_or_without_strength(arguments):
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.arange(6) % 3
    plain = make_loss("cross_entropy", num_classes=3)(logits, labels)
    torch.testing.assert_close(
        make_loss("logit_adjusted", num_classes=3, **arguments)(logits, labels), plain
    )


def test_constant_images_leave_the_plain_logits_even():
    """The prior explains the labels, so the network has nothing left to say."""
    logits = torch.zeros(10, 2, requires_grad=True)
    labels = torch.tensor([0] * 9 + [1])
    make_loss("logit_adjusted", num_classes=2, class_counts=[9, 1])(logits, labels).backward()
    torch.testing.assert_close(logits.grad.sum(0), torch.zeros(2))


@pytest.mark.parametrize(
    ("class_counts", "message"),
    [
        (None, "class_counts is needed: the number of training cases of each class"),
        ([5, 5], r"class_counts must hold 3 counts, got \(2,\)"),
        ([5, -1, 5], r"class_counts must be whole numbers >= 0, got \[5.0, -1.0, 5.0\]"),
        (
            [5, 0, 0],
            "every class needs a training case, since the loss adds the log of its share; "
            "got none of class 1, 2",
        ),
    ],
)
def test_refuses_class_counts_that_give_no_prior(class_counts, message):
    with pytest.raises(InputError, match=message):
        make_loss("logit_adjusted", num_classes=3, class_counts=class_counts)


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="tau must be a number >= 0, got -1"):
        make_loss("logit_adjusted", num_classes=2, class_counts=[1, 1], tau=-1)
