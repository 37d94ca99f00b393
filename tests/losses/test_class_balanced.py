from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss

LOGITS = torch.tensor([[0.7, 0.3], [0.4, 0.6]], dtype=torch.float64).log()
LABELS = torch.tensor([0, 1])


def test_matches_a_value_worked_out_by_hand():
    # (1 - 0.5) / (1 - 0.5^n) for n = 1 and 2 is 1 and 2/3, with mean 5/6.
    loss = make_loss("class_balanced", num_classes=2, class_counts=[1, 2], beta=0.5)
    expected = -(1 * log(0.7) + 2 / 3 * log(0.6)) / (5 / 6) / 2
    assert loss(LOGITS, LABELS).item() == pytest.approx(expected, rel=1e-6)


def test_weights_have_mean_one_and_fall_with_the_cases():
    loss = make_loss("class_balanced", num_classes=3, class_counts=[1000, 100, 10])
    assert loss.weights.mean().item() == pytest.approx(1)
    assert loss.weights.diff().gt(0).all()


def test_weights_approach_inverse_frequencies():
    loss = make_loss("class_balanced", num_classes=2, class_counts=[300, 100], beta=1 - 1e-12)
    assert (loss.weights[1] / loss.weights[0]).item() == pytest.approx(3, rel=1e-6)


@pytest.mark.parametrize(
    "arguments", [{"class_counts": [7, 7]}, {"class_counts": [9, 1], "beta": 0}]
)
def test_is_cross_entropy_for_even_classes_or_without_strength(arguments):
    plain = make_loss("cross_entropy", num_classes=2)(LOGITS, LABELS)
    loss = make_loss("class_balanced", num_classes=2, **arguments)
    torch.testing.assert_close(loss(LOGITS, LABELS), plain)


def test_refuses_a_class_without_a_training_case():
    message = "since the loss divides by 1 - beta \\*\\* its cases; got none of class 1"
    with pytest.raises(InputError, match=message):
        make_loss("class_balanced", num_classes=2, class_counts=[3, 0])


def test_refuses_missing_class_counts():
    with pytest.raises(InputError, match="class_counts is needed"):
        make_loss("class_balanced", num_classes=2)


def test_refuses_a_strength_of_one():
    with pytest.raises(InputError, match=r"beta must be a number in \[0, 1\), got 1"):
        make_loss("class_balanced", num_classes=2, class_counts=[3, 1], beta=1)
