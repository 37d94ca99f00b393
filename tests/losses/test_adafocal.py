from math import exp, inf, log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import EpochFeedback, make_loss


def split(confidences, correct):
    """Two classes: class 0 is predicted with each confidence, and right or not."""
    p = torch.tensor(confidences, dtype=torch.float64)
    labels = 1 - torch.tensor(correct).long()
    return lambda: (torch.stack([p, 1 - p], dim=1).log(), labels)


def value_at(loss, p):
    logits = torch.tensor([[p, 1 - p]], dtype=torch.float64).log()
    return loss(logits, torch.tensor([0])).item()


def test_starts_as_focal_loss_with_exponent_one():
    logits = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(20) % 3
    expected = make_loss("focal", num_classes=3, gamma=1)(logits, labels)
    torch.testing.assert_close(make_loss("adafocal", num_classes=3)(logits, labels), expected)


def test_takes_one_exponent_a_bin_from_the_validation_split():
    loss = make_loss("adafocal", num_classes=2, num_bins=2)
    assert isinstance(loss, EpochFeedback)
    loss.end_epoch(0.1, split([0.9, 0.6, 0.8, 0.7], [1, 1, 0, 0]))
    # Sorted: 0.6 right and 0.7 wrong, 0.8 wrong and 0.9 right; both bins have accuracy 1/2.
    gammas = [exp(0.65 - 0.5), exp(0.85 - 0.5)]
    assert loss.gammas.tolist() == pytest.approx(gammas)
    assert loss.boundaries.tolist() == pytest.approx([0.8])
    assert value_at(loss, 0.5) == pytest.approx(-(0.5 ** gammas[0]) * log(0.5))
    assert value_at(loss, 0.81) == pytest.approx(-(0.19 ** gammas[1]) * log(0.81))


def test_a_probability_on_an_edge_belongs_to_the_bin_above():
    loss = make_loss("adafocal", num_classes=2, num_bins=2)
    loss.gammas.copy_(torch.tensor([2.0, 3.0]))
    loss.boundaries.fill_(0.5)
    assert value_at(loss, 0.5) == pytest.approx(-(0.5**3) * log(0.5))
    assert value_at(loss, 0.5 - 1e-9) == pytest.approx(-(0.5**2) * log(0.5))


def test_rate_scales_the_step():
    loss = make_loss("adafocal", num_classes=2, num_bins=1, rate=3)
    loss.end_epoch(0.1, split([0.9, 0.7], [1, 0]))
    assert loss.gammas.tolist() == pytest.approx([exp(3 * (0.8 - 0.5))])


def test_underconfidence_switches_to_the_inverse_focal_loss():
    loss = make_loss("adafocal", num_classes=2, num_bins=1)
    gammas = []
    for _ in range(6):
        loss.end_epoch(0.1, split([0.6, 0.6], [1, 1]))
        gammas.append(loss.gammas.item())
    # Four steps of exp(-0.4) stay above 0.2; the fifth, exp(-2) = 0.135, switches; then it grows.
    assert gammas[:4] == pytest.approx([exp(-0.4 * step) for step in (1, 2, 3, 4)])
    assert gammas[4:] == pytest.approx([-0.2, -0.2 * exp(0.4)])
    assert value_at(loss, 0.7) == pytest.approx(-(1.7 ** (0.2 * exp(0.4))) * log(0.7))


def test_overconfidence_switches_back_to_the_focal_loss():
    loss = make_loss("adafocal", num_classes=2, num_bins=1)
    loss.gammas.fill_(-0.3)
    loss.end_epoch(0.1, split([0.9, 0.9], [1, 0]))
    assert loss.gammas.item() == pytest.approx(-0.3 * exp(-0.4))
    loss.end_epoch(0.1, split([0.9, 0.9], [1, 0]))
    assert loss.gammas.item() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("confidence", "correct", "limit"), [(0.99, False, 20.0), (0.51, True, -2.0)]
)
def test_exponents_stay_in_their_range(confidence, correct, limit):
    loss = make_loss("adafocal", num_classes=2, num_bins=1)
    for _ in range(40):
        loss.end_epoch(0.1, split([confidence], [correct]))
    assert loss.gammas.item() == limit


def test_a_bin_without_a_case_keeps_its_exponent():
    loss = make_loss("adafocal", num_classes=2, num_bins=4)
    loss.end_epoch(0.1, split([0.9, 0.6], [0, 0]))
    assert loss.gammas.tolist() == pytest.approx([exp(0.6), exp(0.9), 1, 1])
    assert loss.boundaries.tolist() == pytest.approx([0.9, inf, inf])


@pytest.mark.parametrize("gamma", [-2.0, -0.2, 0.2, 20.0])
def test_loss_and_gradient_are_finite_for_every_exponent(gamma):
    loss = make_loss("adafocal", num_classes=3)
    loss.gammas.fill_(gamma)
    logits = (1e4 * torch.eye(3)[[0, 1, 2, 0]]).requires_grad_()
    value = loss(logits, torch.tensor([0, 1, 0, 2]))
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("gamma", [-1.5, 0.7, 4.0])
def test_gradient_matches_finite_differences_for_every_exponent(gamma):
    loss = make_loss("adafocal", num_classes=3)
    loss.gammas.fill_(gamma)
    random = torch.Generator().manual_seed(1)
    logits = torch.randn(6, 3, generator=random, dtype=torch.float64).requires_grad_()
    labels = torch.arange(6) % 3
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), (logits,))


@pytest.mark.parametrize("num_bins", [0, 2.5])
def test_refuses_a_number_of_bins_that_is_none(num_bins):
    with pytest.raises(InputError, match="num_bins must be a whole number >= 1, got"):
        make_loss("adafocal", num_classes=3, num_bins=num_bins)


def test_refuses_a_rate_of_zero():
    with pytest.raises(InputError, match="rate must be a number > 0, got 0"):
        make_loss("adafocal", num_classes=3, rate=0)
