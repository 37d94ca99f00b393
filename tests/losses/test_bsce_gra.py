"""Brier-weighted gradients: the value, the gradient, what it weighs, where descent rests."""

from math import log

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from pipeline.errors import InputError
from pipeline.losses import make_loss

SETTINGS = [(2.0, 2.0), (4.0, 2.0), (1.0, 1.0), (0.5, 2.0), (3.0, 1.5)]
"""Exponents gamma and orders beta; the defaults first."""


def batch(seed, cases=30, classes=4):
    random = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(cases, classes, generator=random, dtype=torch.float64)
    return logits, torch.randint(classes, (cases,), generator=random)


def make(classes=4, **arguments):
    return make_loss("bsce_gra", num_classes=classes, **arguments)


def gradient_of(loss, logits, labels):
    leaf = logits.clone().requires_grad_()
    loss(leaf, labels).backward()
    return leaf.grad


def errors_and_weights(logits, labels, gamma, beta):
    """Return each case's p - onehot(y) and its weight, in numpy."""
    exponentials = np.exp(logits.numpy())
    errors = exponentials / exponentials.sum(1, keepdims=True)
    errors[np.arange(len(labels)), labels.numpy()] -= 1
    return errors, (np.abs(errors) ** beta).sum(1) ** (gamma / beta)


def test_matches_a_value_worked_out_by_hand():
    logits = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64).log()
    value = make(3)(logits, torch.tensor([0]))
    assert value.item() == pytest.approx(-(0.3**2 + 0.2**2 + 0.1**2) * log(0.7))


@pytest.mark.parametrize(("gamma", "beta"), SETTINGS)
def test_value_and_gradient_are_those_of_cross_entropy_with_the_weights_as_numbers(gamma, beta):
    logits, labels = batch(seed=1)
    errors, weights = errors_and_weights(logits, labels, gamma, beta)
    log_p_true = np.log1p(errors[np.arange(len(labels)), labels.numpy()])
    loss = make(gamma=gamma, beta=beta)
    assert loss(logits, labels).item() == pytest.approx(-(weights * log_p_true).mean())
    gradient = gradient_of(loss, logits, labels).numpy()
    np.testing.assert_allclose(gradient, weights[:, None] * errors / len(labels), atol=1e-15)


def test_by_default_the_weight_is_the_brier_score():
    logits, labels = batch(seed=2)
    brier, plain = (make_loss(kind, num_classes=4) for kind in ("brier", "cross_entropy"))
    expected = brier.per_case(logits, labels) * plain.per_case(logits, labels)
    torch.testing.assert_close(make().per_case(logits, labels), expected)


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_without_exponent_is_cross_entropy(beta):
    logits, labels = batch(seed=3)
    # A case that is certain and right has the error 0, and 0 to the power 0 is 1.
    logits[0], labels[0] = 1e4 * one_hot(torch.tensor(2), 4), 2
    loss, plain = make(gamma=0, beta=beta), make_loss("cross_entropy", num_classes=4)
    torch.testing.assert_close(loss(logits, labels), plain(logits, labels))
    torch.testing.assert_close(
        gradient_of(loss, logits, labels), gradient_of(plain, logits, labels)
    )


def test_with_the_first_norm_is_the_focal_loss_in_value_and_not_in_gradient():
    logits, labels = batch(seed=4)
    loss, focal = make(gamma=3, beta=1), make_loss("focal", num_classes=4, gamma=3)
    torch.testing.assert_close(loss(logits, labels), 2**3 * focal(logits, labels))
    gradients = gradient_of(loss, logits, labels), 2**3 * gradient_of(focal, logits, labels)
    assert (gradients[0] - gradients[1]).abs().max() > 1e-3


def weights_on_cross_entropy(loss, p):
    """Return what a loss multiplies the gradient of cross-entropy by, for p of the label."""
    labels = torch.zeros(len(p), dtype=torch.int64)
    logits = torch.stack([p, 1 - p], dim=1).log()
    plain = make_loss("cross_entropy", num_classes=2)
    return (gradient_of(loss, logits, labels) / gradient_of(plain, logits, labels))[:, 0]


def test_a_case_weighs_the_more_the_less_its_label_was_expected_and_in_the_focal_loss_not():
    p = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    weights = weights_on_cross_entropy(make(2), p)
    torch.testing.assert_close(weights, 2 * (1 - p) ** 2)
    focal = weights_on_cross_entropy(make_loss("focal", num_classes=2, gamma=2), p)
    assert (weights.diff() < 0).all()
    # The gradient of (1 - p)^2 takes from the focal weight what it takes from sure cases' values.
    assert focal.argmax() > 5


@pytest.mark.parametrize(("gamma", "beta"), SETTINGS)
def test_descent_rests_at_a_softer_posterior_in_the_same_order(gamma, beta):
    """One image seen 20 times: p / u is proportional to the shares of its labels."""
    times = torch.tensor([14, 4, 2])
    shares = times.double() / 20
    labels = torch.arange(3).repeat_interleave(times)
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    loss, optimiser = make(3, gamma=gamma, beta=beta), torch.optim.SGD([logits], lr=2.0)
    for _ in range(300):
        optimiser.zero_grad()
        loss(logits.expand(20, 3), labels).backward()
        optimiser.step()
    fitted = logits.detach().softmax(0)
    _, weights = errors_and_weights(logits.detach().expand(3, 3), torch.arange(3), gamma, beta)
    implied = fitted / torch.from_numpy(weights)
    torch.testing.assert_close(implied / implied.sum(), shares, rtol=0, atol=1e-6)
    assert fitted[0] < shares[0]
    assert (fitted.argsort() == shares.argsort()).all()


def test_certain_predictions_are_worth_nothing_if_right_and_twice_cross_entropy_if_wrong():
    """The Brier score of a certain and wrong prediction is 2."""
    labels = torch.arange(4)
    logits = 1e4 * one_hot(labels, 4).float()
    assert make()(logits, labels) == 0
    assert not gradient_of(make(), logits, labels).any()
    assert make()(logits, labels.roll(1)) == 2e4


def test_weighs_half_precision_in_float32():
    """In float16 the error of a label at p = 0.9999 is 0, and with it the weight."""
    logits = torch.tensor([[9.21, 0.0]], dtype=torch.float16)
    value = make(2)(logits, torch.tensor([0]))
    p = 1 / (1 + np.exp(-logits[0, 0].item()))
    # float32 rounds 1 - p, here 1e-4, by some 6e-8; its square by 1.2e-3 of itself.
    assert value.item() == pytest.approx(-2 * (1 - p) ** 2 * log(p), rel=3e-3)
    assert value > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": -1}, "gamma must be a number >= 0, got -1"),
        ({"beta": 0}, "beta must be a number > 0, got 0"),
    ],
)
def test_refuses_exponents_and_orders_it_is_not_defined_for(arguments, message):
    with pytest.raises(InputError, match=message):
        make(**arguments)
