from math import log

import pytest
import torch
from torch.nn.functional import one_hot

from pipeline.losses import make_loss
from pipeline.losses.parts import class_regulariser
from pipeline.losses.parts.fused import LARGE, fused_generative_cross_entropy


def batch(seed, cases=12, classes=5, spread=3.0):
    random = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(cases, classes, generator=random, dtype=torch.float64)
    return logits.requires_grad_(), torch.randint(classes, (cases,), generator=random)


def soft(labels, classes=5):
    """Three parts of the label and one of the class after it."""
    return (3 * one_hot(labels, classes) + one_hot((labels + 1) % classes, classes)).double() / 4


def by_definition(logits, labels, weight):
    """Cross-entropy and regulariser as written, torch differentiating each step."""
    shares = labels.mean(0)
    marginal = logits.softmax(1).mean(0)
    present = shares > 0
    regulariser = (shares[present] * marginal[present].log()).sum()
    return -(labels * logits.log_softmax(1)).sum(1).mean() + weight * regulariser


def value_and_gradient(loss, logits, *arguments):
    value = loss(logits, *arguments)
    (gradient,) = torch.autograd.grad(3 * value, logits)
    return value, gradient


def test_matches_a_value_worked_out_by_hand():
    logits = torch.tensor([[0.8, 0.2], [0.4, 0.6]], dtype=torch.float64).log()
    # The mean predictions are 0.6 and 0.4.
    expected = -(log(0.8) + log(0.6)) / 2 + 0.5 * (log(0.6) + log(0.4)) / 2
    value = fused_generative_cross_entropy(logits, torch.tensor([0, 1]), 0.5)
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_value_and_gradient_follow_the_definition(seed, weight):
    logits, labels = batch(seed)
    one_per_case = one_hot(labels, 5).double()
    expected = value_and_gradient(by_definition, logits, one_per_case, weight)
    for given in (labels, one_per_case):
        found = value_and_gradient(fused_generative_cross_entropy, logits, given, weight)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_takes_class_probabilities(weight):
    logits, labels = batch(seed=1)
    expected = value_and_gradient(by_definition, logits, soft(labels), weight)
    found = value_and_gradient(fused_generative_cross_entropy, logits, soft(labels), weight)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("make_labels", [lambda labels: labels, soft])
def test_gradient_is_that_of_finite_differences(make_labels):
    logits, labels = batch(seed=2)
    assert torch.autograd.gradcheck(
        lambda z: fused_generative_cross_entropy(z, make_labels(labels), 0.7), logits
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_stays_finite_for_extreme_logits_and_an_absent_class(dtype):
    logits = torch.tensor([[1e4, -1e4, 0], [-1e4, 1e4, 0], [1e4, 1e4, -1e4]], dtype=dtype)
    logits.requires_grad_()
    found = value_and_gradient(fused_generative_cross_entropy, logits, torch.tensor([1, 1, 0]), 1.0)
    assert all(part.isfinite().all() for part in found)


def test_gradient_of_every_case_sums_to_zero():
    logits, labels = batch(seed=3)
    _, gradient = value_and_gradient(fused_generative_cross_entropy, logits, labels, 1.0)
    # A constant added to a row changes nothing; 1e-15 is some rounding of numbers near 0.1.
    torch.testing.assert_close(gradient.sum(1), torch.zeros(12).double(), atol=1e-15, rtol=0)


def test_leaves_the_logits_as_they_were():
    logits, labels = batch(seed=4)
    before = logits.detach().clone()
    value_and_gradient(fused_generative_cross_entropy, logits, labels, 1.0)
    torch.testing.assert_close(logits.detach(), before, atol=0, rtol=0)


@pytest.mark.parametrize("kind", ["gce", "gce_logit_adjusted"])
def test_large_and_small_batches_give_one_loss(kind, monkeypatch):
    logits, labels = batch(seed=5, cases=64)
    loss = make_loss(kind, num_classes=5, class_counts=[9, 8, 7, 6, 5])
    small = value_and_gradient(loss, logits, labels)
    monkeypatch.setattr(class_regulariser, "LARGE", logits.numel())
    large = value_and_gradient(loss, logits, labels)
    torch.testing.assert_close(large, small)
    assert logits.numel() < LARGE
