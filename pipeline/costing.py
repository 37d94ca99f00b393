"""What training a row of the plan would cost here, from a short timing of its own network."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any, Self

import numpy as np
import torch

from pipeline.config import NetworkConfig, Recipe
from pipeline.losses import make_loss
from pipeline.networks import make_network
from pipeline.training import LabelledImages, Method, TrainingData, start_fabric, train

TIMED_BATCHES = 4
TIMED_EPOCHS = 3
"""The first warms up and is not counted."""

FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Problem:
    """A data set as far as time and space depend on it.

    Attributes
    ----------
    num_train, num_predicted : int
        Cases trained on, and cases that logits are written for.
    image_size : tuple of int
        Pixels along each spatial axis.
    channels, num_classes : int
        Of each image; of the labels.
    """

    num_train: int
    num_predicted: int
    image_size: tuple[int, ...]
    channels: int
    num_classes: int

    @classmethod
    def of_card(cls, card: dict[str, Any]) -> Self:
        """Return the problem that a prepared data set's card describes."""
        counts = {split: sum(of_class.values()) for split, of_class in card["counts"].items()}
        return cls(
            num_train=counts["train"],
            num_predicted=sum(counts.values()) - counts["train"],
            image_size=tuple(card["image_size"]),
            channels=card["channels"],
            num_classes=len(card["classes"]),
        )


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

        >>> str(Cost(5400, 2.5e9)), str(Cost(90, 4e6))
        ('1.5 h, 2.5 GB', '1.5 min, 0.0 GB')
        """
        hours = self.seconds / 3600
        time = f"{hours:.1f} h" if hours >= 1 else f"{self.seconds / 60:.1f} min"
        return f"{time}, {self.num_bytes / 1e9:.1f} GB"


def seed_cost(network: NetworkConfig, recipe: Recipe, problem: Problem) -> Cost:
    """Return what one seed would cost: a few batches are trained on random images and timed.

    Every loss costs about as much as cross-entropy, which stands for all of them.
    """
    method = Method(
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
    fabric = start_fabric(recipe)
    images = _random_images(TIMED_BATCHES * recipe.batch_size, problem, fabric.device)
    few = _random_images(1, problem, fabric.device)
    data = TrainingData(train=images, validation=few, num_classes=problem.num_classes)
    fitted = train(method, data, seed=0, fabric=fabric)
    seconds = median(row["seconds"] for row in fitted.history[1:])
    weights = sum(values.numel() for values in fitted.weights().values())
    logits = problem.num_predicted * problem.num_classes
    return Cost(
        seconds=recipe.epochs * problem.num_train * seconds / len(images),
        num_bytes=FLOAT32_BYTES * (weights + logits),
    )


def _random_images(num_images: int, problem: Problem, device: torch.device) -> LabelledImages:
    generator = np.random.default_rng(0)
    shape = (num_images, *problem.image_size, problem.channels)
    return LabelledImages.from_arrays(
        generator.integers(256, size=shape, dtype=np.uint8),
        generator.integers(problem.num_classes, size=num_images),
        device=device,
    )
