from math import exp, log

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from pipeline.errors import InputError
from pipeline.losses import EpochFeedback, make_loss

COUNTS = [81, 16, 1]


def never_called():
    message = "the validation split was evaluated for nothing"
    raise AssertionError(message)


def test_matches_a_value_worked_out_by_hand():
    loss = make_loss("ldam", num_classes=2, class_counts=[16, 1], scale=2)
    logits = torch.tensor([[0.3, 0.1]], dtype=torch.float64)
    # The margins are 0.5 / 2 and 0.5; only the true class's logit is lowered.
    expected = log(1 + exp(2 * ((0.3) - (0.1 - 0.5))))
    assert loss(logits, torch.tensor([1])).item() == pytest.approx(expected)


def test_margins_fall_with_the_fourth_root_of_the_cases():
    loss = make_loss("ldam", num_classes=3, class_counts=COUNTS)
    assert loss.margins.tolist() == pytest.approx([0.5 / 3, 0.5 / 2, 0.5])


def test_scales_by_thirty_unless_told():
    logits = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(8) % 3
    margins = torch.tensor([0.5 / 3, 0.5 / 2, 0.5])[labels][:, None]
    loss = make_loss("ldam", num_classes=3, class_counts=COUNTS)
    expected = cross_entropy(30 * (logits - margins * one_hot(labels, 3)), labels)
    torch.testing.assert_close(loss(logits, labels), expected)
    assert loss.logit_scale == 30


def test_defers_the_weights_until_four_fifths_of_the_epochs():
    loss = make_loss("ldam", num_classes=3, class_counts=COUNTS)
    assert isinstance(loss, EpochFeedback)
    loss.end_epoch(79 / 100, never_called)
    assert loss.weights.tolist() == [1, 1, 1]
    loss.end_epoch(80 / 100, never_called)
    balanced = make_loss("class_balanced", num_classes=3, class_counts=COUNTS)
    assert torch.equal(loss.weights, balanced.weights)


def test_later_weights_multiply_the_cases():
    loss = make_loss("ldam", num_classes=3, class_counts=COUNTS)
    logits, labels = torch.zeros(3, 3), torch.arange(3)
    before = loss.per_case(logits, labels)
    loss.end_epoch(1.0, never_called)
    torch.testing.assert_close(loss.per_case(logits, labels), loss.weights * before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"class_counts": None}, "class_counts is needed"),
        ({"class_counts": [5, 0, 5]}, "since its margin is infinite without; got none of class 1"),
        ({"max_margin": 0}, "max_margin must be a number > 0, got 0"),
        ({"scale": -30}, "scale must be a number > 0, got -30"),
        ({"deferred_until": 1.5}, r"deferred_until must be a number in \[0, 1\), got 1.5"),
        ({"beta": 1}, r"beta must be a number in \[0, 1\), got 1"),
    ],
)
def test_refuses_settings_out_of_range(arguments, message):
    with pytest.raises(InputError, match=message):
        make_loss("ldam", num_classes=3, **({"class_counts": COUNTS} | arguments))
