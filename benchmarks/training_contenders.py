"""Loops that train the same network on the same images: ours, bare ones and MONAI's."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from tqdm import tqdm

from pipeline.config import Recipe
from pipeline.losses import make_loss
from pipeline.networks import make_network
from pipeline.training import LabelledImages, Method, TrainingData
from pipeline.training.device import repeatable
from pipeline.training.images import measure_normalisation
from pipeline.training.lanes import CapturedLane, open_lane
from pipeline.training.schedule import capturable, hold_rate_in_tensor
from pipeline.training.session import start_session
from pipeline.training.trainer import Trainer, take_step

NUM_CLASSES, BATCH, RATE = 10, 128, 1e-3
STEPS_A_ROUND = 20

Epoch = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """A network, the images it reads and the precision it computes in."""

    name: str
    kind: str
    arguments: dict[str, Any] = field(hash=False)
    side: int
    channels: int
    precision: str = "float32"

    @property
    def title(self) -> str:
        """Name, side and precision."""
        return f"{self.name}, {self.side} px, {self.precision}"

    def build(self) -> nn.Module:
        """Return the network."""
        return make_network(
            self.kind,
            spatial_dims=2,
            in_channels=self.channels,
            num_classes=NUM_CLASSES,
            image_size=(self.side, self.side),
            **self.arguments,
        )


def make_recipe(precision: str = "float32", **changes: Any) -> Recipe:
    optimiser = {"kind": "adam", "learning_rate": RATE}
    settings = {"epochs": 1, "batch_size": BATCH, "optimiser": optimiser, "precision": precision}
    return Recipe.model_validate(settings | changes)


def draw_data(case: Case, num_images: int, device: torch.device) -> TrainingData:
    rng = np.random.default_rng(0)
    shape = (num_images, case.side, case.side, case.channels)
    images = rng.integers(0, 256, size=shape).astype(np.uint8)
    labels = rng.integers(0, NUM_CLASSES, size=num_images)
    cases = LabelledImages.from_arrays(images, labels, device=device)
    few = LabelledImages(cases.images[:BATCH], cases.labels[:BATCH])
    return TrainingData(train=cases, validation=few, num_classes=NUM_CLASSES)


def make_method(case: Case, loss: str, **changes: Any) -> Method:
    return Method(
        loss,
        case.build,
        lambda: make_loss(loss, num_classes=NUM_CLASSES),
        make_recipe(case.precision, **changes),
    )


def our_epoch(case: Case, data: TrainingData, fabric: Fabric) -> Epoch:
    return _epoch_of(make_method(case, "cross_entropy"), data, fabric, num_seeds=1)


def augmented_epoch(case: Case, data: TrainingData, fabric: Fabric) -> Epoch:
    changes = {"augmentation": {"crop_padding": 2, "flip": True}}
    return _epoch_of(make_method(case, "cross_entropy", **changes), data, fabric, num_seeds=1)


def together_epoch(case: Case, data: TrainingData, fabric: Fabric, num_seeds: int) -> Epoch:
    return _epoch_of(make_method(case, "cross_entropy"), data, fabric, num_seeds=num_seeds)


def _epoch_of(method: Method, data: TrainingData, fabric: Fabric, *, num_seeds: int) -> Epoch:
    with repeatable(fabric.device):
        trainers = [
            Trainer(
                method,
                data,
                fabric,
                seed=seed,
                resume=None,
                lane=open_lane(fabric),
                bar=tqdm(disable=True),
            )
            for seed in range(num_seeds)
        ]

    def run() -> None:
        with repeatable(fabric.device):
            for trainer in trainers:
                with trainer.lane.open():
                    trainer.fit_epoch()
            for trainer in trainers:
                with trainer.lane.open():
                    trainer.mean_loss()

    return run


def bare_epoch(case: Case, data: TrainingData) -> Epoch:
    """Plain PyTorch on tensors normalised beforehand: what an eager loop cannot be faster than."""
    images, labels = measure_normalisation(data.train.images)(data.train.images), data.train.labels
    network = case.build().to(labels.device, memory_format=torch.channels_last)
    step = _bare_step(case, network, capturable=False)

    def run() -> None:
        network.train()
        for chosen in _shuffled(labels):
            step(images[chosen], labels[chosen])

    return run


def captured_epoch(case: Case, data: TrainingData) -> Epoch:
    """Capture the bare step as a CUDA graph: what a loop on CUDA cannot be faster than."""
    images, labels = measure_normalisation(data.train.images)(data.train.images), data.train.labels
    lane, chosen = CapturedLane(labels.device), torch.arange(BATCH, device=labels.device)
    with lane.open():
        network = case.build().to(labels.device, memory_format=torch.channels_last)
        step = _bare_step(case, network, capturable=True)
        replay = lane.record(lambda: step(images[chosen], labels[chosen]))

    def run() -> None:
        with lane.open():
            for each in _shuffled(labels):
                chosen.copy_(each)
                replay()

    return run


def _shuffled(labels: Tensor) -> list[Tensor]:
    order = torch.randperm(len(labels), device=labels.device)
    return [part for part in order.split(BATCH) if len(part) == BATCH]


def _bare_step(
    case: Case, network: nn.Module, *, capturable: bool
) -> Callable[[Tensor, Tensor], None]:
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, fused=True, capturable=capturable)
    loss_function = nn.CrossEntropyLoss()

    def step(images: Tensor, labels: Tensor) -> None:
        optimiser.zero_grad()
        with torch.autocast(
            labels.device.type,
            dtype=torch.bfloat16,
            enabled=case.precision == "bfloat16",
            cache_enabled=not capturable,
        ):
            loss = loss_function(network(images), labels)
        loss.backward()
        optimiser.step()

    return step


def monai_epoch(case: Case, data: TrainingData) -> Epoch:
    """MONAI as its tutorials use it: cached cases, its data loader, its trainer."""
    from monai.data import CacheDataset, DataLoader
    from monai.engines import SupervisedTrainer
    from monai.transforms import Compose, NormalizeIntensityd, ToTensord

    device, train = data.train.images.device, data.train
    normalisation = measure_normalisation(train.images.cpu())
    cases = [
        {"image": image.movedim(-1, 0).float().numpy(), "label": int(label)}
        for image, label in zip(train.images.cpu(), train.labels.cpu(), strict=True)
    ]
    statistics_ = {"subtrahend": normalisation.mean.numpy(), "divisor": normalisation.sd.numpy()}
    normalise = NormalizeIntensityd("image", channel_wise=True, **statistics_)
    transform = Compose([normalise, ToTensord("image")])
    dataset = CacheDataset(cases, transform, progress=False)
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True, drop_last=True)
    network = case.build().to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)

    def run() -> None:
        SupervisedTrainer(
            device=device,
            max_epochs=1,
            train_data_loader=loader,
            network=network,
            optimizer=optimiser,
            loss_function=nn.CrossEntropyLoss(),
        ).run()

    return run


def step_rounds(case: Case, data: TrainingData, fabric: Fabric) -> dict[str, Epoch]:
    """Return a round of steps on one batch for each loss, captured where the device captures."""
    images = measure_normalisation(data.train.images)(data.train.images[:BATCH])
    labels = data.train.labels[:BATCH]

    def make_round(loss: str) -> Epoch:
        lane = open_lane(fabric)
        with lane.open(), repeatable(fabric.device):
            session = start_session(make_method(case, loss), fabric, seed=0)
            if lane.captures:
                hold_rate_in_tensor(session.optimiser, fabric.device)
            session.wrapped.train()

            def step() -> None:
                take_step(session, images, labels, clip_norm=None)

            with session.unchanged(), capturable(session.optimiser):
                replay = lane.record(step)

        def run() -> None:
            with lane.open():
                for _ in range(STEPS_A_ROUND):
                    replay()

        return run

    return {loss: make_round(loss) for loss in ("cross_entropy", "gce")}


def interleave(
    contenders: dict[str, Epoch], repeats: int, device: torch.device
) -> dict[str, float]:
    """Return each contender's median seconds over interleaved rounds, after one to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(repeats + 1):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(each) for name, each in seconds.items()}
