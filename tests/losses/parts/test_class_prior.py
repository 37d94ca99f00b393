import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses.parts.class_prior import balanced_weights, log_class_prior


def test_prior_sums_to_one():
    assert log_class_prior([5, 3, 8], num_classes=3).exp().sum().item() == pytest.approx(1)


def test_weights_are_the_published_formula_with_mean_one():
    counts, beta = torch.tensor([500.0, 50.0, 5.0], dtype=torch.float64), 0.99
    published = (1 - beta) / (1 - beta**counts)
    weights = balanced_weights([500, 50, 5], num_classes=3, beta=beta)
    torch.testing.assert_close(weights, published / published.mean())


@pytest.mark.parametrize(
    ("beta", "expected"), [(0.0, [1.0, 1.0]), (1 - 1e-15, [2 * 1 / 4, 2 * 3 / 4])]
)
def test_weights_run_from_even_to_inverse_frequencies(beta, expected):
    assert balanced_weights([3, 1], num_classes=2, beta=beta).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    "weigh", [log_class_prior, lambda *a, **k: balanced_weights(*a, beta=0.9, **k)]
)
def test_refuses_a_class_without_a_training_case(weigh):
    with pytest.raises(InputError, match="every class needs a training case.*got none of class 0"):
        weigh([0, 1], num_classes=2)
