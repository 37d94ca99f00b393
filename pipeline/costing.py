"""What an experiment would cost here: time from a short timing of its own network, and space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from statistics import median
from typing import Any, Self

import numpy as np
import torch
from lightning_fabric import Fabric

from pipeline.config import Dataset, NetworkConfig, Recipe
from pipeline.losses import make_loss
from pipeline.networks import make_network
from pipeline.training import (
    Job,
    LabelledImages,
    Method,
    TrainingData,
    start_fabric,
    train_together,
)
from pipeline.training.device import wanted_accelerator
from pipeline.training.task import PREDICTED_SPLITS

PROBE_IMAGES = 2
"""Trained on first, to learn how many more can be afforded; fewer leave no variance to measure."""

EPOCH_SECONDS = 1.0
"""What a timed epoch may take; a network that is slower is timed on the probe alone."""

MOST_BATCHES = {"cpu": 4, "cuda": 64}
"""In a timed epoch; on CUDA an epoch's end weighs more beside its steps."""

TIMED_EPOCHS = 3
"""The first warms up and is not counted."""

MOST_SEEDS = 8
"""Timed side by side where seeds train so; more would hardly be faster still."""

CALIBRATED_SPLITS = ("threshold", "test")
FLOAT32_BYTES, FLOAT64_BYTES = 4, 8
COPIES_OF_SEED = 3
"""In the seed's checkpoint, among the stage's outputs, and in DVC's cache."""

COPIES_OF_OUTPUT = 2
"""Among the stage's outputs and in DVC's cache; file systems that share blocks need less."""


@dataclass(frozen=True)
class Problem:
    """A data set as far as time and space depend on it.

    Attributes
    ----------
    num_train, num_predicted, num_calibrated : int
        Cases trained on; rows of logits and of calibrated probabilities written for a run, where a
        case that serves in two splits counts twice.
    num_cases : int
        Of all splits.
    image_size : tuple of int
        Pixels along each spatial axis.
    channels, num_classes : int
        Of each image; of the labels.
    """

    num_train: int
    num_predicted: int
    num_calibrated: int
    num_cases: int
    image_size: tuple[int, ...]
    channels: int
    num_classes: int

    @classmethod
    def of_card(cls, card: dict[str, Any]) -> Self:
        """Return the problem that a prepared data set's card describes."""
        counts = {split: sum(of_class.values()) for split, of_class in card["counts"].items()}
        return cls._of(counts, card["reuse"], card)

    @classmethod
    def of_dataset(cls, dataset: Dataset) -> Self | None:
        """Return the problem that a data set is expected to be; None where its config is silent."""
        if "train" not in dataset.expected_cases:
            return None
        counts = {str(split): number for split, number in dataset.expected_cases.items()}
        return cls._of(counts, dataset.splits.reuse, dataset.model_dump())

    @classmethod
    def _of(
        cls, counts: Mapping[str, int], reuse: Mapping[Any, str], facts: dict[str, Any]
    ) -> Self:
        served = {split: counts.get(reuse.get(split, split), 0) for split in PREDICTED_SPLITS}
        return cls(
            num_train=counts.get("train", 0),
            num_predicted=sum(served.values()),
            num_calibrated=sum(served[split] for split in CALIBRATED_SPLITS),
            num_cases=sum(counts.values()),
            image_size=tuple(facts["image_size"]),
            channels=facts["channels"],
            num_classes=len(facts["classes"]),
        )

    @property
    def prepared_bytes(self) -> float:
        """Bytes of the prepared images, which most formats store in one byte a value."""
        return float(COPIES_OF_OUTPUT * self.num_cases * prod(self.image_size) * self.channels)

    def probability_bytes(self, num_calibrators: int) -> float:
        """Bytes of the calibrated probabilities of one run."""
        values = self.num_calibrated * self.num_classes * num_calibrators
        return float(COPIES_OF_OUTPUT * FLOAT64_BYTES * values)


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds of training, and bytes of what it leaves on the disk."""

    seconds: float
    num_bytes: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.num_bytes + other.num_bytes)

    def __mul__(self, times: int) -> Cost:
        return Cost(self.seconds * times, self.num_bytes * times)

    def __str__(self) -> str:
        """Say both in the units a person plans with.

        >>> str(Cost(90, 4e6)), str(Cost(5400, 2.5e9)), str(Cost(9e7, 3e12))
        ('1.5 min, 4 MB', '1.5 h, 2.5 GB', '1,042 days, 3,000.0 GB')
        """
        hours = self.seconds / 3600
        if hours < 1:
            time = f"{self.seconds / 60:.1f} min"
        elif hours < 72:
            time = f"{hours:.1f} h"
        else:
            time = f"{hours / 24:,.0f} days"
        gigabytes = self.num_bytes / 1e9
        space = f"{gigabytes:,.1f} GB" if gigabytes >= 0.1 else f"{gigabytes * 1000:.0f} MB"
        return f"{time}, {space}"


def on_this_machine() -> str:
    """Say on what a study is costed: one process, or one CUDA device with its seeds together."""
    if wanted_accelerator() == "cuda":
        return f"seeds together on one {torch.cuda.get_device_name()}"
    return "one process on this machine"


def seed_cost(
    network: NetworkConfig, recipe: Recipe, problem: Problem, *, num_seeds: int = 1
) -> Cost:
    """Return what one of several seeds would cost, its logits counted, its calibration not.

    Parameters
    ----------
    network, recipe : configs
        What is trained, and for how many epochs.
    problem : Problem
        On what; random images of that size stand for it.
    num_seeds : int
        How many there are to train: on CUDA they share the device's time, and each is charged its
        part.

    Returns
    -------
    Cost
        Every loss costs about as much as cross-entropy, which stands for all of them. A network
        too slow for a whole batch within `EPOCH_SECONDS` is timed on fewer images a step, which
        overstates its time somewhat. The pass over the validation cases is left out.
    """
    method = _timed_method(network, recipe, problem)
    parameters = sum(values.numel() for values in method.make_network().state_dict().values())
    logits = problem.num_predicted * problem.num_classes
    seconds = seconds_an_image(method, problem, num_seeds=num_seeds)
    return Cost(
        seconds=recipe.epochs * problem.num_train * seconds,
        num_bytes=COPIES_OF_SEED * FLOAT32_BYTES * (parameters + logits),
    )


def _timed_method(network: NetworkConfig, recipe: Recipe, problem: Problem) -> Method:
    return Method(
        "cross_entropy",
        lambda: make_network(
            network.kind,
            spatial_dims=len(problem.image_size),
            in_channels=problem.channels,
            num_classes=problem.num_classes,
            image_size=problem.image_size,
            **network.arguments,
        ),
        lambda: make_loss("cross_entropy", num_classes=problem.num_classes),
        recipe.model_copy(update={"epochs": TIMED_EPOCHS}),
    )


def seconds_an_image(method: Method, problem: Problem, *, num_seeds: int = 1) -> float:
    """Return what training on one image takes: a probe, then as many images as are affordable.

    On CUDA it is the time of captured steps, and of `num_seeds` side by side (`MOST_SEEDS` at most)
    divided by their number.
    """
    fabric = start_fabric(method.recipe)
    kind = fabric.device.type
    together = min(num_seeds, MOST_SEEDS) if kind == "cuda" else 1
    probed = _timed_epoch(method, problem, fabric, PROBE_IMAGES) / PROBE_IMAGES
    size = method.recipe.batch_size
    num_images = min(int(EPOCH_SECONDS / probed), MOST_BATCHES[kind] * size)
    if num_images > size:
        num_images -= num_images % size
    if num_images <= PROBE_IMAGES:
        return probed
    seconds = _timed_epoch(method, problem, fabric, num_images, num_seeds=together)
    return seconds / (num_images * together)


def _timed_epoch(
    method: Method, problem: Problem, fabric: Fabric, num_images: int, *, num_seeds: int = 1
) -> float:
    """Return the seconds of an epoch of all seeds."""
    data = TrainingData(
        train=_random_images(num_images, problem, fabric.device),
        validation=_random_images(1, problem, fabric.device),
        num_classes=problem.num_classes,
    )
    jobs = [Job(method, seed) for seed in range(num_seeds)]
    rows = [
        row for _, fitted in train_together(jobs, data, fabric=fabric) for row in fitted.history
    ]
    # The seconds of a row are the clock's, so they count those of the seeds beside it as well.
    return median(row["seconds"] for row in rows if row["epoch"] > 1)


def _random_images(num_images: int, problem: Problem, device: torch.device) -> LabelledImages:
    generator = np.random.default_rng(0)
    shape = (num_images, *problem.image_size, problem.channels)
    return LabelledImages.from_arrays(
        generator.integers(256, size=shape, dtype=np.uint8),
        generator.integers(problem.num_classes, size=num_images),
        device=device,
    )
