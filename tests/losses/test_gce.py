"""The properties of generative cross-entropy, each proved on numbers."""

from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from pipeline.losses import make_loss

POSTERIOR = torch.tensor([[14, 4, 2], [3, 12, 5], [2, 6, 12], [8, 2, 10]]) / 20
"""Four image types, seen equally often, and the true probabilities of three classes: rank 3."""


def batch(seed, cases=40, classes=5):
    random = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(cases, classes, generator=random, dtype=torch.float64)
    return logits, torch.randint(classes, (cases,), generator=random)


def gce(logits, labels, **arguments):
    return make_loss("gce", num_classes=logits.shape[1], **arguments)(logits, labels)


def shares(logits, labels):
    """The labels' shares pi and the mean predictions m."""
    return one_hot(labels, logits.shape[1]).double().mean(0), logits.softmax(1).mean(0)


def test_matches_a_value_worked_out_by_hand():
    logits = torch.tensor([[0.8, 0.2], [0.4, 0.6]], dtype=torch.float64).log()
    # The mean predictions are 0.6 and 0.4.
    expected = -(log(0.8 / 0.6) + log(0.6 / 0.4)) / 2
    assert gce(logits, torch.tensor([0, 1])).item() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_its_three_forms_agree(seed):
    logits, labels = batch(seed)
    pi, m = shares(logits, labels)
    cross_entropy = make_loss("cross_entropy", num_classes=5)(logits, labels)
    ratio = (logits.softmax(1) / m).gather(1, labels[:, None]).log().mean()
    entropy = -(pi * pi.log()).sum()
    divergence = (pi * (pi / m).log()).sum()
    value = gce(logits, labels)
    torch.testing.assert_close(value, -ratio, rtol=0, atol=1e-6)
    torch.testing.assert_close(value, cross_entropy + (pi * m.log()).sum(), rtol=0, atol=1e-6)
    torch.testing.assert_close(value, cross_entropy - entropy - divergence, rtol=0, atol=1e-6)


@pytest.mark.parametrize("weight", [0, 0.5, 1, 2])
def test_weight_scales_the_regulariser(weight):
    logits, labels = batch(seed=1)
    pi, m = shares(logits, labels)
    cross_entropy = make_loss("cross_entropy", num_classes=5)(logits, labels)
    expected = cross_entropy + weight * (pi * m.log()).sum()
    torch.testing.assert_close(gce(logits, labels, weight=weight), expected)


def test_approaches_minus_log_classes_for_certain_and_right_predictions():
    labels = torch.arange(20) % 4
    value = gce(100 * one_hot(labels, 4).double(), labels)
    assert value.item() == pytest.approx(-log(4))


@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.floats(0, 300),
    cases=st.integers(1, 30),
    classes=st.integers(2, 8),
)
def test_is_never_below_the_negative_entropy_of_the_labels(seed, spread, cases, classes):
    random = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(cases, classes, generator=random, dtype=torch.float64)
    labels = torch.randint(classes, (cases,), generator=random)
    entropy = torch.special.entr(shares(logits, labels)[0]).sum().item()
    assert gce(logits, labels).item() >= -entropy - 1e-9
    assert -entropy >= -log(classes) - 1e-9


def test_is_zero_for_predictions_that_do_not_depend_on_the_image():
    logits = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log().expand(30, 3)
    assert gce(logits, torch.arange(30) % 3).item() == pytest.approx(0, abs=1e-12)


def test_an_extreme_batch_is_worth_what_its_logarithms_say():
    logits = torch.tensor([[1e4, 0.0, -1e4], [0.0, 1e4, 0.0], [1e4, -1e4, 0.0]])
    # Labels 2, 1, 0: log p is -2e4, 0, 0; of the sums over the cases, log p_2 is led by -1e4 twice.
    log_sums = [log(2), 0.0, -1e4 + log(2)]
    expected = -((-2e4 - log_sums[2]) + (0 - log_sums[1]) + (0 - log_sums[0])) / 3 - log(3)
    value = gce(logits, torch.tensor([2, 1, 0])).item()
    assert value == pytest.approx(expected, rel=1e-6)


def population(posterior):
    """Cases of each image type in the true proportions: which image, which label."""
    image, label = [], []
    for row, counts in enumerate((20 * posterior).round().int().tolist()):
        for k, count in enumerate(counts):
            image += [row] * count
            label += [k] * count
    return torch.tensor(image), torch.tensor(label)


def descend(posterior, start, steps):
    image, label = population(posterior)
    table = start.double().requires_grad_()
    optimiser = torch.optim.SGD([table], lr=5)
    for _ in range(steps):
        optimiser.zero_grad()
        gce(table[image], label).backward()
        optimiser.step()
    return table.detach().softmax(1)


@pytest.mark.parametrize("seed", range(3))
def test_descent_recovers_the_true_posterior(seed):
    assert torch.linalg.matrix_rank(POSTERIOR) == 3
    start = torch.randn(4, 3, generator=torch.Generator().manual_seed(seed))
    fitted = descend(POSTERIOR, start, steps=600)
    torch.testing.assert_close(fitted, POSTERIOR.double(), rtol=0, atol=1e-3)


def test_a_constant_posterior_has_other_minimisers():
    """Where no image says anything, every constant prediction is as good as the truth."""
    posterior = torch.tensor([[10, 6, 4]] * 4) / 20
    other = torch.tensor([[0.2, 0.2, 0.6]] * 4)
    image, label = population(posterior)
    truth = gce(posterior.log()[image], label)
    torch.testing.assert_close(gce(other.log()[image], label), truth, rtol=0, atol=1e-6)
    stays = descend(posterior, start=other.log(), steps=100)
    torch.testing.assert_close(stays, other.double())


def test_excess_risk_is_the_divergence_of_images_given_the_class():
    image, label = population(POSTERIOR)
    q = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).double().softmax(1)
    p = POSTERIOR.double()
    pi = p.mean(0)
    p_image, q_image = p / p.sum(0), q / q.sum(0)
    divergence = (pi * (p_image * (p_image / q_image).log()).sum(0)).sum()
    excess = gce(q.log()[image], label) - gce(p.log()[image], label)
    torch.testing.assert_close(excess, divergence)
    assert excess > 0


def bias_gradient(kind, logits, labels):
    """The gradient along a bias added to each class's logits."""
    bias = torch.zeros(logits.shape[1], dtype=logits.dtype, requires_grad=True)
    make_loss(kind, num_classes=logits.shape[1])(logits + bias, labels).backward()
    return bias.grad


def test_bias_gradient_is_the_formula_of_cross_entropy_and_of_gce():
    logits, labels = batch(seed=3)
    p = logits.softmax(1)
    pi, m = shares(logits, labels)
    joint = p.T @ p / len(p)
    torch.testing.assert_close(bias_gradient("cross_entropy", logits, labels), m - pi)
    torch.testing.assert_close(bias_gradient("gce", logits, labels), m - joint @ (pi / m))


def test_bias_gradient_is_zero_where_predictions_do_not_depend_on_the_image():
    logits = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64).expand(12, 3)
    labels = torch.tensor([0] * 9 + [1] * 2 + [2])
    zero = torch.zeros(3, dtype=torch.float64)
    torch.testing.assert_close(bias_gradient("gce", logits, labels), zero)
    assert bias_gradient("cross_entropy", logits, labels).abs().max() > 0.1


def test_bias_gradient_is_that_of_cross_entropy_where_predictions_are_certain():
    logits = 1e3 * one_hot(torch.tensor([0, 0, 1, 2, 2, 2]), 3).double()
    labels = torch.tensor([0, 1, 1, 0, 1, 2])
    expected = bias_gradient("cross_entropy", logits, labels)
    torch.testing.assert_close(bias_gradient("gce", logits, labels), expected)
    assert expected.abs().max() > 0.1
