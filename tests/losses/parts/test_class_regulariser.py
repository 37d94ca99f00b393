from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses.parts.class_regulariser import ClassRegulariser


def regulariser(**arguments):
    settings = {"num_classes": 2, "weight": 1, "marginal": "batch", "decay": 0.9} | arguments
    return ClassRegulariser(**settings)


def log_probabilities(*first):
    p = torch.tensor(first, dtype=torch.float64)
    return torch.stack([p, 1 - p], dim=1).log()


FIRST, SECOND = log_probabilities(0.8, 0.4), log_probabilities(0.1, 0.3)
LABELS = torch.tensor([0, 0])


def test_is_the_mean_log_share_of_the_labels():
    # The mean predictions are 0.6 and 0.4.
    value = regulariser(weight=3)(FIRST, torch.tensor([0, 1]))
    assert value.item() == pytest.approx(3 * (log(0.6) + log(0.4)) / 2)


@pytest.mark.parametrize("weight", [0, 0.5, 1])
def test_with_cross_entropy_is_their_sum(weight):
    labels = torch.tensor([0, 1])
    term = regulariser(weight=weight)
    expected = term(FIRST, labels) - (log(0.8) + log(0.6)) / 2
    torch.testing.assert_close(term.plus_cross_entropy(FIRST + 7, labels), expected)


def test_a_moving_average_starts_as_the_first_batch():
    value = regulariser(marginal="ema")(FIRST, LABELS)
    torch.testing.assert_close(value, regulariser()(FIRST, LABELS))


def test_a_moving_average_weighs_batches_by_their_age():
    term = regulariser(marginal="ema", decay=0.75)
    term(FIRST, LABELS)
    # The batches' mean predictions of class 0 are 0.6, 0.2 and 0.6; the average is in float32.
    expected = [log((0.75 * 0.6 + 0.2) / 1.75), log((0.5625 * 0.6 + 0.75 * 0.2 + 0.6) / 2.3125)]
    assert term(SECOND, LABELS).item() == pytest.approx(expected[0], rel=1e-6)
    assert term(FIRST, LABELS).item() == pytest.approx(expected[1], rel=1e-6)


def test_a_moving_average_forgets_at_its_decay_in_the_long_run():
    term = regulariser(marginal="ema", decay=0.9)
    for _ in range(300):
        term(FIRST, LABELS)
    value = term(SECOND, LABELS).item()
    assert value == pytest.approx(log(0.9 * 0.6 + 0.1 * 0.2), rel=1e-5)


def test_gradient_flows_through_the_current_batch_alone():
    term = regulariser(marginal="ema", decay=0.75)
    first = FIRST.clone().requires_grad_()
    term(first, LABELS)
    second = SECOND.clone().requires_grad_()
    term(second, LABELS).backward()
    assert first.grad is None
    average = (0.75 * 0.6 + 0.2) / 1.75
    # d log m / d log p_i0 = (1 / 1.75) p_i0 / 2 / m for class 0, nothing for class 1.
    expected = torch.stack([SECOND[:, 0].exp() / 2 / 1.75 / average, torch.zeros(2)], dim=1)
    torch.testing.assert_close(second.grad, expected, rtol=1e-6, atol=0)


def test_a_moving_average_is_not_moved_in_evaluation():
    term = regulariser(marginal="ema")
    term(FIRST, LABELS)
    before = {name: value.clone() for name, value in term.state_dict().items()}
    term.eval()(SECOND, LABELS)
    assert all(torch.equal(value, before[name]) for name, value in term.state_dict().items())


def test_a_moving_average_resumes_to_the_same_bits():
    interrupted = regulariser(marginal="ema")
    interrupted(FIRST, LABELS)
    resumed = regulariser(marginal="ema")
    resumed.load_state_dict(interrupted.state_dict())
    assert torch.equal(resumed(SECOND, LABELS), interrupted(SECOND, LABELS))


def test_without_memory_a_moving_average_is_the_batch():
    term = regulariser(marginal="ema", decay=0)
    term(FIRST, LABELS)
    torch.testing.assert_close(term(SECOND, LABELS), regulariser()(SECOND, LABELS))


@pytest.mark.parametrize("marginal", ["batch", "ema"])
def test_gradient_matches_finite_differences(marginal):
    term = regulariser(marginal=marginal, num_classes=3, weight=0.7)
    random = torch.Generator().manual_seed(0)
    for _ in range(2):
        logits = torch.randn(5, 3, generator=random, dtype=torch.float64)
        term(logits.log_softmax(1), torch.arange(5) % 3)
    term.eval()
    labels = torch.tensor([0, 0, 2, 2, 0])
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: term(z.log_softmax(1), labels), (logits,))


@pytest.mark.parametrize("marginal", ["batch", "ema"])
def test_value_and_gradient_are_finite_for_extreme_logits(marginal):
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], requires_grad=True)
    term = regulariser(marginal=marginal, num_classes=3)
    for _ in range(3):
        value = term(logits.log_softmax(1), torch.tensor([2, 2]))
    value.backward()
    assert value.item() == pytest.approx(-1e4)
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weight": -1}, "weight must be a number >= 0, got -1"),
        ({"marginal": "epoch"}, "marginal must be one of batch, ema, got 'epoch'"),
        ({"decay": 1.0}, r"decay must be a number in \[0, 1\), got 1.0"),
    ],
)
def test_refuses_settings_out_of_range(arguments, message):
    with pytest.raises(InputError, match=message):
        regulariser(**arguments)
