import pytest
import torch
from monai.data import MetaTensor

from pipeline.losses.parts.batch import (
    at_labels,
    checked_batch,
    label_probabilities,
    negative_log_likelihood,
)

VALUES = torch.tensor([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
LABELS = torch.tensor([2, 0])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_raises_low_precision_and_keeps_the_rest(given, kept):
    soft = torch.full((2, 3), 1 / 3, dtype=torch.float16)
    logits, labels = checked_batch(VALUES.to(given), soft, num_classes=3, soft=True)
    assert logits.dtype == labels.dtype == kept


def test_drops_the_metadata_of_a_subclass_and_keeps_the_gradient():
    leaf = VALUES.clone().requires_grad_()
    logits, labels = checked_batch(MetaTensor(leaf), MetaTensor(LABELS), num_classes=3, soft=False)
    assert type(logits) is type(labels) is torch.Tensor
    logits.sum().backward()
    assert torch.equal(leaf.grad, torch.ones(2, 3))


def test_class_probabilities_weigh_the_values_by_hand():
    soft = torch.tensor([[0.5, 0.25, 0.25], [0.0, 0.5, 0.5]])
    assert at_labels(VALUES, soft).tolist() == [0.5 + 0.5 + 1.0, 8.0 + 16.0]
    assert negative_log_likelihood(VALUES, soft).item() == -(2.0 + 24.0) / 2


def test_labels_pick_their_values():
    assert at_labels(VALUES, LABELS).tolist() == [4.0, 8.0]
    assert negative_log_likelihood(VALUES, LABELS).item() == -(4.0 + 8.0) / 2


def test_class_probabilities_stay_as_they_are():
    soft = torch.tensor([[0.5, 0.25, 0.25]])
    assert torch.equal(label_probabilities(soft, like=VALUES), soft)
