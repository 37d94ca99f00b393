import torch
from torch import nn

from pipeline.training.cosine import CosineLinear, put_cosine_head
from tests.training.examples import small_network


def test_outputs_are_cosines_of_the_angle_to_each_direction():
    linear = nn.Linear(2, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 0.1]]))
    found = CosineLinear(linear)(torch.tensor([[1.0, 1.0], [0.0, -5.0]]))
    # 45 degrees from both; at right angles to the first and opposite to the second.
    expected = torch.tensor([[0.5**0.5, 0.5**0.5], [0.0, -1.0]])
    torch.testing.assert_close(found, expected)


def test_lengths_change_nothing():
    head = CosineLinear(nn.Linear(5, 3))
    features = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(head(features), head(1000 * features))


def test_features_of_length_0_give_0_and_not_nan():
    assert torch.equal(CosineLinear(nn.Linear(5, 3))(torch.zeros(1, 5)), torch.zeros(1, 3))


def test_only_the_last_linear_layer_is_replaced():
    network = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 2)))
    put_cosine_head(network)
    assert isinstance(network[0], nn.Linear)
    assert isinstance(network[1][1], CosineLinear)


def test_cosines_are_taken_in_float32_under_autocast():
    network = small_network()
    put_cosine_head(network)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(torch.ones(4, 1, 8, 8)).dtype == torch.float32
