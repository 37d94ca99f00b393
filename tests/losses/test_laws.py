"""The laws that every loss keeps: a loss added to the registry is held to them at once."""

import copy

import pytest
import torch
from torch.nn.functional import one_hot

from pipeline.errors import InputError
from pipeline.losses import LOSSES, EpochFeedback, make_loss

every_loss = pytest.mark.parametrize("kind", LOSSES)
soft_losses = pytest.mark.parametrize(
    "kind", [kind for kind, loss in LOSSES.items() if loss.accepts_soft_labels]
)
hard_losses = pytest.mark.parametrize(
    "kind", [kind for kind, loss in LOSSES.items() if not loss.accepts_soft_labels]
)
sums_over_cases = pytest.mark.parametrize(
    "kind", [kind for kind, loss in LOSSES.items() if hasattr(loss, "per_case")]
)


def loss_named(kind, num_classes):
    return make_loss(
        kind,
        num_classes=num_classes,
        class_counts=[100 // (label + 1) for label in range(num_classes)],
    )


def batch(seed, *, cases=24, classes=4, spread=3.0, dtype=torch.float64):
    random = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(cases, classes, generator=random, dtype=torch.float64)
    labels = torch.randint(classes, (cases,), generator=random)
    return logits.to(dtype), labels


def value_and_gradient(loss, logits, labels):
    logits = logits.clone().requires_grad_()
    value = loss(logits, labels)
    value.backward()
    return value.detach(), logits.grad


def train_a_little(loss, seed):
    """Three batches and an epoch's end: whatever a loss remembers has moved."""
    values = [loss(*batch(seed + step, dtype=torch.float32)) for step in range(3)]
    if isinstance(loss, EpochFeedback):
        loss.end_epoch(0.9, lambda: batch(seed + 50, cases=200, dtype=torch.float32))
    values.append(loss(*batch(seed + 99, dtype=torch.float32)))
    return torch.stack(values)


@every_loss
@pytest.mark.parametrize("seed", range(3))
def test_loss_and_gradient_are_finite_at_extreme_logits(kind, seed):
    random = torch.Generator().manual_seed(seed)
    logits = 1e4 * torch.randint(-1, 2, (32, 5), generator=random).float()
    labels = torch.randint(5, (32,), generator=random)
    value, gradient = value_and_gradient(loss_named(kind, 5), logits, labels)
    assert value.isfinite()
    assert gradient.isfinite().all()


@every_loss
@pytest.mark.parametrize("right", [True, False])
def test_loss_and_gradient_are_finite_for_certain_predictions(kind, right):
    labels = torch.arange(4)
    predicted = labels if right else (labels + 1) % 4
    logits = 1e4 * (2 * one_hot(predicted, 4).float() - 1)
    value, gradient = value_and_gradient(loss_named(kind, 4), logits, labels)
    assert value.isfinite()
    assert gradient.isfinite().all()


@every_loss
@pytest.mark.parametrize("cases", [1, 24])
def test_loss_and_gradient_are_finite_where_one_class_alone_is_present(kind, cases):
    logits, _ = batch(seed=4, cases=cases)
    labels = torch.full((cases,), 2)
    value, gradient = value_and_gradient(loss_named(kind, 4), logits, labels)
    assert value.isfinite()
    assert gradient.isfinite().all()


@pytest.mark.parametrize(
    "kind", [kind for kind, loss in LOSSES.items() if not getattr(loss, "holds_weights", False)]
)
def test_gradient_matches_finite_differences(kind):
    loss = loss_named(kind, 4).eval()
    logits, labels = batch(seed=5, cases=6)
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), (logits,))


@every_loss
@pytest.mark.parametrize("low", [torch.bfloat16, torch.float16])
def test_computes_in_float32_under_autocast(kind, low):
    logits, labels = batch(seed=6, dtype=low)
    with torch.autocast("cpu", dtype=low):
        value, gradient = value_and_gradient(loss_named(kind, 4), logits, labels)
    assert value.dtype == torch.float32
    assert gradient.isfinite().all()
    torch.testing.assert_close(value, loss_named(kind, 4)(logits.float(), labels), rtol=0, atol=0)


@every_loss
def test_keeps_float64(kind):
    logits, labels = batch(seed=7)
    value, gradient = value_and_gradient(loss_named(kind, 4), logits, labels)
    assert value.dtype == gradient.dtype == torch.float64
    assert value.shape == ()


@every_loss
def test_float32_agrees_with_float64(kind):
    logits, labels = batch(seed=8)
    low, high = (loss_named(kind, 4)(logits.to(t), labels) for t in (torch.float32, torch.float64))
    torch.testing.assert_close(low.double(), high, rtol=1e-5, atol=1e-6)


@every_loss
def test_a_constant_added_to_a_case_changes_nothing(kind):
    logits, labels = batch(seed=9)
    shift = torch.linspace(-50, 50, len(logits), dtype=logits.dtype)[:, None]
    torch.testing.assert_close(
        loss_named(kind, 4)(logits + shift, labels), loss_named(kind, 4)(logits, labels)
    )


@every_loss
def test_the_order_of_the_cases_changes_nothing(kind):
    logits, labels = batch(seed=10)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        loss_named(kind, 4)(logits[order], labels[order]), loss_named(kind, 4)(logits, labels)
    )


@every_loss
def test_reads_labels_of_any_integer_type(kind):
    logits, labels = batch(seed=11)
    expected = loss_named(kind, 4)(logits, labels)
    assert loss_named(kind, 4)(logits, labels.to(torch.int32)) == expected
    assert loss_named(kind, 4)(logits, labels.to(torch.uint8)) == expected


@every_loss
def test_descent_leads_to_the_labels(kind):
    labels = torch.arange(12) % 3
    logits = torch.zeros(12, 3, requires_grad=True)
    loss = loss_named(kind, 3)
    optimiser = torch.optim.Adam([logits], lr=0.1)
    for _ in range(60):
        optimiser.zero_grad()
        loss(logits, labels).backward()
        optimiser.step()
    assert (logits.argmax(1) == labels).all()


@every_loss
def test_resumes_from_its_state_to_the_same_bits(kind):
    interrupted = loss_named(kind, 4)
    train_a_little(interrupted, seed=20)
    resumed = loss_named(kind, 4)
    resumed.load_state_dict(copy.deepcopy(interrupted.state_dict()))
    assert torch.equal(train_a_little(resumed, seed=40), train_a_little(interrupted, seed=40))


@every_loss
def test_remembers_nothing_in_evaluation(kind):
    loss = loss_named(kind, 4).eval()
    before = copy.deepcopy(loss.state_dict())
    loss(*batch(seed=12))
    for name, value in loss.state_dict().items():
        assert torch.equal(value, before[name])


@sums_over_cases
def test_is_the_mean_of_its_cases(kind):
    logits, labels = batch(seed=13)
    loss = loss_named(kind, 4)
    per_case = loss.per_case(logits, labels)
    assert per_case.shape == labels.shape
    torch.testing.assert_close(per_case.mean(), loss(logits, labels))


@sums_over_cases
def test_a_case_is_worth_the_same_alone(kind):
    logits, labels = batch(seed=14)
    loss = loss_named(kind, 4)
    alone = [loss(logits[[i]], labels[[i]]) for i in range(len(labels))]
    torch.testing.assert_close(torch.stack(alone), loss.per_case(logits, labels))


@soft_losses
def test_certain_class_probabilities_are_labels(kind):
    logits, labels = batch(seed=15)
    soft = one_hot(labels, 4).to(torch.float32)
    torch.testing.assert_close(
        loss_named(kind, 4)(logits, soft), loss_named(kind, 4)(logits, labels)
    )


@soft_losses
def test_gradient_of_class_probabilities_is_the_mixture_of_the_labels(kind):
    """Repeating a case under each label as often as it is probable gives the same gradient."""
    logits, _ = batch(seed=16, cases=5)
    counts = torch.tensor([[2, 1, 1, 0], [0, 4, 0, 0], [1, 1, 1, 1], [3, 0, 0, 1], [0, 2, 2, 0]])
    loss = loss_named(kind, 4)
    _, soft_gradient = value_and_gradient(loss, logits, counts / 4)
    case, label = [], []
    for i, row in enumerate(counts.tolist()):
        for k, times in enumerate(row):
            case += [i] * times
            label += [k] * times
    leaf = logits.clone().requires_grad_()
    loss(leaf[case], torch.tensor(label)).backward()
    torch.testing.assert_close(soft_gradient, leaf.grad)


@hard_losses
def test_refuses_class_probabilities_it_is_not_defined_for(kind):
    logits, labels = batch(seed=17)
    with pytest.raises(InputError, match="takes true classes, not class probabilities"):
        loss_named(kind, 4)(logits, one_hot(labels, 4).double())


@every_loss
@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        ((0, 4), (0,), r"logits must be \(cases >= 1, 4\), got \(0, 4\)"),
        ((3, 5), (3,), r"logits must be \(cases >= 1, 4\), got \(3, 5\)"),
        ((4,), (3,), r"logits must be \(cases >= 1, 4\), got \(4,\)"),
        ((3, 4), (2,), r"labels must be \(3,\), got \(2,\)"),
        ((3, 4), (3, 1), r"labels must be \(3,\), got \(3, 1\)"),
    ],
)
def test_refuses_a_batch_of_the_wrong_shape(kind, logits, labels, message):
    with pytest.raises(InputError, match=message):
        loss_named(kind, 4)(torch.zeros(logits), torch.zeros(labels, dtype=torch.int64))


@every_loss
@pytest.mark.parametrize("label", [-100, -1, 4])
def test_never_passes_over_a_label_out_of_range(kind, label):
    with pytest.raises((IndexError, RuntimeError), match=r"out of (bounds|range)|Class values"):
        loss_named(kind, 4)(torch.zeros(2, 4), torch.tensor([0, label]))


@every_loss
def test_refuses_fewer_than_two_classes(kind):
    with pytest.raises(InputError, match="num_classes must be a whole number >= 2, got 1"):
        LOSSES[kind](num_classes=1)
