"""Focal weights on the generative likelihood: the gradient, the fixed points, no collapse."""

from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss

POSTERIOR = torch.tensor([[14, 4, 2], [3, 12, 5], [2, 6, 12], [8, 2, 10]], dtype=torch.float64) / 20
"""Four image types, seen equally often, and the true probabilities of three classes: rank 3."""
IMAGES, LABELS = (
    each.flatten() for each in torch.meshgrid(*map(torch.arange, (4, 3)), indexing="ij")
)
TIMES = (20 * POSTERIOR).round().long().flatten()
IMAGE, LABEL = IMAGES.repeat_interleave(TIMES), LABELS.repeat_interleave(TIMES)
"""Cases of each image type in the true proportions."""


def batch(seed, cases=30, classes=4):
    random = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(cases, classes, generator=random, dtype=torch.float64)
    return logits, torch.randint(classes, (cases,), generator=random)


def make(classes=4, **arguments):
    return make_loss("generative_focal", num_classes=classes, **arguments)


def gradient_of(function, logits):
    leaf = logits.clone().requires_grad_()
    function(leaf).backward()
    return leaf.grad


def test_matches_a_value_worked_out_by_hand():
    logits = torch.tensor([[0.8, 0.2], [0.4, 0.6]], dtype=torch.float64).log()
    # Doubts 0.2 and 0.4, so weights 2/3 and 4/3; mean predictions 0.6 and 0.4.
    expected = (2 / 3 * log(0.6 / 0.8) + 4 / 3 * log(0.4 / 0.6)) / 2
    value = make(2)(logits, torch.tensor([0, 1]))
    assert value.item() == pytest.approx(expected)


def test_matches_a_value_with_a_weighted_marginal_worked_out_by_hand():
    logits = torch.tensor([[0.8, 0.2], [0.4, 0.6]], dtype=torch.float64).log()
    m = [(0.8 + 2 * 0.4) / 3, (0.2 + 2 * 0.6) / 3]
    expected = (0.2 * log(m[0] / 0.8) + 0.4 * log(m[1] / 0.6)) / 2
    value = make(2, normalised=False, weighted_marginal=True)(logits, torch.tensor([0, 1]))
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_without_exponent_is_generative_cross_entropy(normalised, weighted):
    logits, labels = batch(seed=1)
    loss = make(gamma=0, normalised=normalised, weighted_marginal=weighted)
    gce = make_loss("gce", num_classes=4)
    torch.testing.assert_close(loss(logits, labels), gce(logits, labels))
    gradient = gradient_of(lambda z: loss(z, labels), logits)
    torch.testing.assert_close(gradient, gradient_of(lambda z: gce(z, labels), logits))


@pytest.mark.parametrize("gamma", [1, 3, "flsd53"])
def test_weights_have_the_mean_one_and_fall_with_the_label_s_probability(gamma):
    log_p = torch.linspace(0.01, 0.99, 50, dtype=torch.float64).log()
    weights = make(gamma=gamma).log_weights(log_p).exp()
    assert weights.mean().item() == pytest.approx(1)
    unsure = log_p.exp() < 0.2
    for part in (weights[unsure], weights[~unsure]):
        assert (part.diff() < 0).all()


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("gamma", [1, 2])
def test_gradient_is_that_of_generative_cross_entropy_on_re_weighted_cases(gamma, weighted):
    """Written out with the weights as plain numbers, and differentiated by finite differences."""
    logits, labels = batch(seed=2, cases=6)
    p_true = logits.softmax(1).gather(1, labels[:, None])[:, 0]
    w = (1 - p_true) ** gamma
    w = w / w.mean()

    def re_weighted(z):
        p = z.softmax(1)
        m = (w[:, None] * p).mean(0) if weighted else p.mean(0)
        return (w * (m[labels].log() - p.gather(1, labels[:, None])[:, 0].log())).mean()

    loss = make(gamma=gamma, weighted_marginal=weighted)
    gradient = gradient_of(lambda z: loss(z, labels), logits)
    torch.testing.assert_close(gradient, gradient_of(re_weighted, logits))
    step = 1e-6
    for row, column in [(0, 0), (3, 2), (5, 3)]:
        moved = torch.zeros_like(logits)
        moved[row, column] = step
        slope = (re_weighted(logits + moved) - re_weighted(logits - moved)) / (2 * step)
        assert gradient[row, column].item() == pytest.approx(slope.item(), abs=1e-8)


@pytest.mark.parametrize("arguments", [{}, {"gamma": "flsd53"}, {"weighted_marginal": True}])
@pytest.mark.parametrize("favoured", range(3))
def test_predictions_that_do_not_depend_on_the_image_gain_nothing(arguments, favoured):
    """Neither the value nor its gradient along a class's bias: no collapse pays."""
    logits = torch.zeros(len(LABEL), 3, dtype=torch.float64)
    logits[:, favoured] = 6
    loss = make(3, **arguments)
    assert loss(logits, LABEL).item() == pytest.approx(0, abs=1e-12)
    gradient = gradient_of(lambda z: loss(z, LABEL), logits)
    torch.testing.assert_close(gradient.sum(0), torch.zeros(3, dtype=torch.float64))


def test_the_first_hybrid_pays_for_predictions_that_do_not_depend_on_the_image():
    """What this form is for: there half and half is worth (1 - 1/8) log 2 whatever is learned."""
    labels = torch.tensor([0] * 9 + [1])
    constant = torch.zeros(10, 2, dtype=torch.float64)
    first = make_loss("gce_focal", num_classes=2, gamma=3)(constant, labels)
    assert first.item() == pytest.approx(-(1 - 0.5**3) * log(2))
    assert make(2, gamma=3)(constant, labels).item() == pytest.approx(0)


def descend(loss, steps=4000, rate=5.0):
    table = torch.zeros(4, 3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([table], lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(table[IMAGE], LABEL).backward()
        optimiser.step()
    return table.detach().softmax(1)


@pytest.mark.parametrize("gamma", [1, 3])
def test_descent_rests_at_a_softer_posterior_in_the_same_order(gamma):
    """With a weighted marginal: p / (1 - p)^gamma is proportional to the true posterior."""
    fitted = descend(make(3, gamma=gamma, weighted_marginal=True))
    implied = fitted / (1 - fitted) ** gamma
    implied = implied / implied.sum(1, keepdim=True)
    torch.testing.assert_close(implied, POSTERIOR, rtol=0, atol=2e-3)
    assert (fitted.amax(1) < POSTERIOR.amax(1)).all()
    assert (fitted.argsort(1) == POSTERIOR.argsort(1)).all()


def test_descent_with_the_plain_marginal_minimises_the_divergence_of_re_weighted_images():
    """Its gradient is that of sum_y W_y KL(W(x|y) || p(x|y)), W the re-weighted joint shares."""
    logits, _ = batch(seed=3, cases=4, classes=3)
    p = logits.softmax(1)
    joint = POSTERIOR / 4 * (1 - p)
    joint = joint / joint.sum()

    def divergence(z):
        images = z.softmax(1) / z.softmax(1).sum(0)
        return (joint * ((joint / joint.sum(0)) / images).log()).sum()

    loss = make(3, gamma=1)
    gradient = gradient_of(lambda z: loss(z[IMAGE], LABEL), logits)
    torch.testing.assert_close(gradient, gradient_of(divergence, logits))


def test_refuses_an_exponent_it_does_not_know():
    with pytest.raises(InputError, match="gamma must be a number >= 0, got -1"):
        make(gamma=-1)
