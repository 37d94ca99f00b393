from math import log

import pytest
import torch

from pipeline.errors import InputError
from pipeline.losses import make_loss


def batch(seed):
    random = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(30, 4, generator=random, dtype=torch.float64)
    return logits, torch.randint(4, (30,), generator=random)


def test_matches_a_value_worked_out_by_hand():
    logits = torch.tensor([[0.9, 0.1], [0.4, 0.6]], dtype=torch.float64).log()
    # The mean predictions are 0.65 and 0.35; only the first case is below a fifth.
    focal = -(0.9**5 * log(0.1) + 0.6**3 * log(0.4)) / 2
    value = make_loss("gce_flsd53", num_classes=2)(logits, torch.tensor([1, 0]))
    assert value.item() == pytest.approx(focal + (log(0.35) + log(0.65)) / 2)


def test_adds_the_regulariser_of_generative_cross_entropy():
    logits, labels = batch(seed=1)
    gce, cross_entropy, flsd53, value = (
        make_loss(kind, num_classes=4)(logits, labels)
        for kind in ("gce", "cross_entropy", "flsd53", "gce_flsd53")
    )
    torch.testing.assert_close(value, flsd53 + gce - cross_entropy)


@pytest.mark.parametrize("marginal", ["batch", "ema"])
def test_without_weight_is_its_base(marginal):
    logits, labels = batch(seed=2)
    expected = make_loss("flsd53", num_classes=4)(logits, labels)
    loss = make_loss("gce_flsd53", num_classes=4, weight=0, marginal=marginal)
    torch.testing.assert_close(loss(logits, labels), expected)


def test_refuses_a_negative_weight():
    with pytest.raises(InputError, match="weight must be a number >= 0, got -1"):
        make_loss("gce_flsd53", num_classes=4, weight=-1)
