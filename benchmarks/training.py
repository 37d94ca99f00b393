"""How fast training is, beside a bare loop and MONAI's trainer; and what GCE costs a step.

Run as ``python -m benchmarks.training [images] [repeats]``. Every contender sees the same images,
network, optimiser and batch size; rounds are interleaved, so that whatever else the machine does
falls on all alike, and medians are shown.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from tqdm import tqdm

from pipeline.config import Recipe
from pipeline.losses import make_loss
from pipeline.networks import make_network
from pipeline.training import LabelledImages, Method, TrainingData, start_fabric
from pipeline.training.device import repeatable
from pipeline.training.images import measure_normalisation
from pipeline.training.loop import Trainer, take_step
from pipeline.training.prediction import Classifier
from pipeline.training.session import start_session

SIDE, NUM_CLASSES, BATCH = 28, 10, 128
RATE = 1e-3
RECIPE = Recipe.model_validate(
    {"epochs": 1, "batch_size": BATCH, "optimiser": {"kind": "adam", "learning_rate": RATE}}
)
NETWORKS = {
    "thin_densenet": (
        "densenet",
        {"block_config": [2, 2, 2], "growth_rate": 8, "init_features": 16},
    ),
    "thin_resnet10": ("resnet10", {"widths": [8, 16, 32, 64], "stem": "small"}),
}
STEPS_A_ROUND = 20

Epoch = Callable[[], object]


def build_network(name: str) -> nn.Module:
    kind, arguments = NETWORKS[name]
    return make_network(
        kind,
        spatial_dims=2,
        in_channels=1,
        num_classes=NUM_CLASSES,
        image_size=(SIDE, SIDE),
        **arguments,
    )


def draw_data(num_images: int) -> TrainingData:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(num_images, SIDE, SIDE, 1)).astype(np.uint8)
    labels = rng.integers(0, NUM_CLASSES, size=num_images)
    cases = LabelledImages.from_arrays(images, labels)
    return TrainingData(train=cases, validation=cases, num_classes=NUM_CLASSES)


def make_method(network: str, loss: str) -> Method:
    return Method(
        loss,
        lambda: build_network(network),
        lambda: make_loss(loss, num_classes=NUM_CLASSES),
        RECIPE,
    )


def our_epoch(name: str, data: TrainingData, fabric: Fabric) -> Epoch:
    method = make_method(name, "cross_entropy")
    session = start_session(method, fabric, seed=0)
    normalisation = measure_normalisation(data.train.images)
    classifier = Classifier(session.network, normalisation, session.logit_scale)
    trainer = Trainer(method, data, session, classifier, seed=0, bar=tqdm(disable=True))

    def run() -> None:
        with repeatable(fabric.device):
            trainer.fit_epoch()

    return run


def bare_epoch(name: str, data: TrainingData) -> Epoch:
    """Plain PyTorch on tensors normalised beforehand: what a loop cannot be faster than."""
    network = build_network(name).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    loss_function = nn.CrossEntropyLoss()
    images = measure_normalisation(data.train.images)(data.train.images)
    labels = data.train.labels

    def run() -> None:
        network.train()
        order = torch.randperm(len(labels))
        for start in range(0, len(labels) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            optimiser.zero_grad()
            loss = loss_function(network(images[chosen]), labels[chosen])
            loss.backward()
            optimiser.step()

    return run


def monai_epoch(name: str, data: TrainingData) -> Epoch:
    """MONAI as its tutorials use it: cached cases, its data loader, its trainer."""
    from monai.data import CacheDataset, DataLoader
    from monai.engines import SupervisedTrainer
    from monai.transforms import Compose, NormalizeIntensityd, ToTensord

    normalisation = measure_normalisation(data.train.images)
    cases = [
        {"image": image.movedim(-1, 0).float().numpy(), "label": int(label)}
        for image, label in zip(data.train.images, data.train.labels, strict=True)
    ]
    statistics_ = {"subtrahend": normalisation.mean.numpy(), "divisor": normalisation.sd.numpy()}
    normalise = NormalizeIntensityd("image", channel_wise=True, **statistics_)
    transform = Compose([normalise, ToTensord("image")])
    dataset = CacheDataset(cases, transform, progress=False)
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True, drop_last=True)
    network = build_network(name)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)

    def run() -> None:
        SupervisedTrainer(
            device=torch.device("cpu"),
            max_epochs=1,
            train_data_loader=loader,
            network=network,
            optimizer=optimiser,
            loss_function=nn.CrossEntropyLoss(),
        ).run()

    return run


def interleave(contenders: dict[str, Epoch], repeats: int) -> dict[str, float]:
    """Return each contender's median seconds over interleaved rounds, after one to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(repeats + 1):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(each) for name, each in seconds.items()}


def print_epochs(name: str, data: TrainingData, fabric: Fabric, repeats: int) -> None:
    contenders = {
        "bare loop, channels last": bare_epoch(name, data),
        "this project": our_epoch(name, data, fabric),
        "MONAI SupervisedTrainer, CacheDataset": monai_epoch(name, data),
    }
    seconds = interleave(contenders, repeats)
    trained = len(data.train) // BATCH * BATCH
    bare = seconds["bare loop, channels last"]
    for contender, each in seconds.items():
        print(
            f"{name:14}  {contender:38} {trained / each:8.0f} images/s  {bare / each:5.2f} of bare"
        )


def step_rounds(name: str, data: TrainingData, fabric: Fabric) -> dict[str, Epoch]:
    """Return a round of steps on one batch for each loss."""
    images = measure_normalisation(data.train.images)(data.train.images[:BATCH])
    labels = data.train.labels[:BATCH]

    def make_round(loss: str) -> Epoch:
        session = start_session(make_method(name, loss), fabric, seed=0)
        session.wrapped.train()

        def run() -> None:
            for _ in range(STEPS_A_ROUND):
                take_step(session, images, labels, clip_norm=None)

        return run

    return {loss: make_round(loss) for loss in ("cross_entropy", "gce")}


def print_steps(name: str, data: TrainingData, fabric: Fabric, repeats: int) -> None:
    seconds = interleave(step_rounds(name, data, fabric), repeats)
    for loss, each in seconds.items():
        ratio = each / seconds["cross_entropy"]
        milliseconds = 1000 * each / STEPS_A_ROUND
        print(f"{name:14}  step with {loss:28} {milliseconds:8.2f} ms        {ratio:5.3f} of CE")


def main(num_images: int = 5000, repeats: int = 9) -> None:
    # MONAI and ignite warn of their own calls.
    warnings.filterwarnings("ignore")
    fabric, data = start_fabric(RECIPE), draw_data(num_images)
    print(
        f"{num_images} images of {SIDE} x {SIDE}, batch {BATCH}, "
        f"{torch.get_num_threads()} threads, median of {repeats}"
    )
    for name in NETWORKS:
        print_epochs(name, data, fabric, repeats)
    for name in NETWORKS:
        print_steps(name, data, fabric, repeats)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
