"""Every loss drives MONAI's SupervisedTrainer as it is, on MONAI's own tensors and batches."""

import copy

import pytest
import torch

from pipeline.losses import LOSSES, make_loss

# Importing ignite, MONAI's engine, compiles TorchScript, which PyTorch has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


@pytest.fixture(scope="module")
def batches():
    """Two batches of four cases from MONAI's data set and loader: labels are int64, (4,)."""
    from monai.data import CacheDataset, DataLoader
    from monai.transforms import EnsureChannelFirstd

    random = torch.Generator().manual_seed(0)
    cases = [
        {"image": torch.rand(12, 12, generator=random), "label": index % 3} for index in range(8)
    ]
    channel_first = EnsureChannelFirstd("image", channel_dim="no_channel")
    return DataLoader(CacheDataset(cases, channel_first, progress=False), batch_size=4)


@pytest.fixture(scope="module")
def network():
    from monai.networks.nets import DenseNet

    torch.manual_seed(0)
    return DenseNet(
        2, in_channels=1, out_channels=3, init_features=4, growth_rate=2, block_config=(1,)
    )


def bare_loop(loss, network, batches):
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    values = []
    for batch in batches:
        optimiser.zero_grad()
        value = loss(network(batch["image"].as_tensor()), batch["label"])
        value.backward()
        optimiser.step()
        values.append(value.detach())
    return values


@pytest.mark.parametrize("kind", LOSSES)
def test_trains_as_in_a_bare_loop(kind, network, batches):
    from monai.engines import SupervisedTrainer

    loss, trained = (make_loss(kind, num_classes=3, class_counts=[5, 3, 1]) for _ in range(2))
    expected_network, trained_network = copy.deepcopy(network), copy.deepcopy(network)
    expected = bare_loop(loss, expected_network, batches)
    values = []
    trained.register_forward_hook(lambda module, given, value: values.append(value.detach()))
    SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=batches,
        network=trained_network,
        optimizer=torch.optim.SGD(trained_network.parameters(), lr=0.1),
        loss_function=trained,
    ).run()
    assert len(values) == 2
    assert values == expected
    for name, value in trained_network.state_dict().items():
        assert torch.equal(value, expected_network.state_dict()[name])
