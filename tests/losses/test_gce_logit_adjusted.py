from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss

COUNTS = [50, 30, 10, 5]


def batch(seed):
    random = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(30, 4, generator=random, dtype=torch.float64)
    return logits, torch.randint(4, (30,), generator=random)


def test_matches_a_value_worked_out_by_hand():
    # Even logits and counts 3 to 1 predict 3/4 and 1/4; logits of 0 and log 3 predict 1/2 and 1/2.
    logits = torch.tensor([[1.0, 1.0], [1.0, 3.0]], dtype=torch.float64).log()
    m = [(3 / 4 + 1 / 2) / 2, (1 / 4 + 1 / 2) / 2]
    expected = -(log(3 / 4 / m[0]) + log(1 / 2 / m[1])) / 2
    loss = make_loss("gce_logit_adjusted", num_classes=2, class_counts=[3, 1])
    # The class prior is held in float32.
    assert loss(logits, torch.tensor([0, 1])).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "arguments", [{"class_counts": [7] * 4}, {"class_counts": COUNTS, "tau": 0}]
)
def test_is_generative_cross_entropy_for_even_classes_or_without_strength(arguments):
    logits, labels = batch(seed=1)
    expected = make_loss("gce", num_classes=4)(logits, labels)
    value = make_loss("gce_logit_adjusted", num_classes=4, **arguments)(logits, labels)
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize(
    ("class_counts", "message"),
    [(None, "class_counts is needed"), ([5, 0, 5, 5], "got none of class 1")],
)
def test_refuses_class_counts_that_give_no_prior(class_counts, message):
    with pytest.raises(InputError, match=message):
        make_loss("gce_logit_adjusted", num_classes=4, class_counts=class_counts)


@pytest.mark.parametrize("marginal", ["batch", "ema"])
def test_without_weight_is_its_base(marginal):
    logits, labels = batch(seed=2)
    expected = make_loss("logit_adjusted", num_classes=4, class_counts=COUNTS)(logits, labels)
    loss = make_loss(
        "gce_logit_adjusted", num_classes=4, class_counts=COUNTS, weight=0, marginal=marginal
    )
    torch.testing.assert_close(loss(logits, labels), expected)


def test_refuses_a_negative_weight():
    with pytest.raises(InputError, match="weight must be a number >= 0, got -1"):
        make_loss("gce_logit_adjusted", num_classes=4, class_counts=COUNTS, weight=-1)
