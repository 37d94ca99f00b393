import pytest
import torch

from pipeline.losses.parts.focal import flsd53_gamma, focal_values


@pytest.mark.parametrize("gamma", [0.0, 0.1, 1.0, 5.0])
def test_value_and_gradient_are_finite_without_any_doubt(gamma):
    for exponent in (gamma, torch.tensor([gamma])):
        log_p = torch.zeros(1, requires_grad=True)
        value = focal_values(log_p, exponent)
        value.sum().backward()
        assert value.item() == 0
        # At p = 1 the slope of -(1 - p)^gamma log p is 0, or -1 where the exponent is 0.
        assert log_p.grad.item() == pytest.approx(-1.0 if gamma == 0 else 0.0, abs=1e-3)


def test_keeps_its_digits_near_certainty():
    """1 - p would be 0 in float32; the doubt is taken from log p itself."""
    log_p = torch.tensor([-1e-9])
    assert focal_values(log_p, 1.0).item() == pytest.approx(1e-9 * 1e-9, rel=1e-6)


def test_exponent_changes_at_a_fifth():
    log_p = torch.tensor([0.2 - 1e-6, 0.2 + 1e-6], dtype=torch.float64).log()
    assert flsd53_gamma(log_p).tolist() == [5.0, 3.0]
