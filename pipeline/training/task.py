"""One row of the plan, made ready to train: configs and prepared data in, method and data out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pipeline.artifacts import Predictions, Prepared
from pipeline.config import LossConfig, NetworkConfig, Recipe
from pipeline.config.plan import RunRow
from pipeline.errors import InputError, located
from pipeline.losses import LOSSES, make_loss
from pipeline.networks import NETWORKS, make_network, require_network
from pipeline.provenance import (
    array_sha256,
    fingerprint,
    has_uncommitted_changes,
    package_versions,
    source_hashes,
    source_revision,
)
from pipeline.training.images import LabelledImages
from pipeline.training.loop import Fitted
from pipeline.training.predictions import join_predictions, require_every_class
from pipeline.training.processor import processor
from pipeline.training.session import Method
from pipeline.training.trainer import TrainingData

if TYPE_CHECKING:
    from lightning_fabric import Fabric

REQUIRED_SPLITS = ("val", "calibration", "test")
PREDICTED_SPLITS = ("val", "calibration", "threshold", "test")


@dataclass(frozen=True)
class Task:
    """Everything that the seeds of one row share.

    Attributes
    ----------
    row : RunRow
        Names of data set, network, recipe and loss.
    network, loss, recipe : configs
        What the names stand for.
    prepared : Prepared
        Images, cases and card.
    fabric : Fabric
        Device and processes.
    """

    row: RunRow
    network: NetworkConfig
    loss: LossConfig
    recipe: Recipe
    prepared: Prepared
    fabric: Fabric

    def __post_init__(self) -> None:
        """Raise `InputError` for what cannot be trained: cases, classes, network or loss."""
        for split in REQUIRED_SPLITS:
            if len(self.prepared.rows(split)) == 0:
                message = f"data set {self.row.dataset}: no case in split {split}"
                raise InputError(message)
        require_every_class(self._labels("train"), self.classes, dataset=self.row.dataset)
        with located(f"configs/networks/{self.row.network}.yaml"):
            require_network(self.network.kind, self.network.arguments)
        self._make_loss()

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return self.prepared.card["classes"]

    @property
    def splits(self) -> list[str]:
        """The splits that get predictions: all but train, where they have cases."""
        return [split for split in PREDICTED_SPLITS if len(self.prepared.rows(split))]

    @cached_property
    def method(self) -> Method:
        """Network, loss and recipe."""
        return Method(self.row.loss, self._make_network, self._make_loss, self.recipe)

    @cached_property
    def data(self) -> TrainingData:
        """Training and validation cases on the device."""
        return TrainingData(
            train=self._images("train"),
            validation=self._images("val"),
            num_classes=len(self.classes),
        )

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {
            **source_hashes(["pipeline.training"], follow=["pipeline.training"]),
            **source_hashes([LOSSES[self.loss.kind].__module__], follow=["pipeline.losses"]),
            **source_hashes([NETWORKS[self.network.kind].__module__], follow=["pipeline.networks"]),
        }

    def inputs(self, seed: int) -> dict[str, Any]:
        """Return all that a seed's logits depend on."""
        return {
            **self._configs(),
            "seed": seed,
            "data_fingerprint": self.prepared.card["fingerprint"],
            "classes": self.classes,
            "reuse": self.prepared.card["reuse"],
            "sources": self._sources,
            "torch": torch.__version__,
            "monai": package_versions()["monai"],
            "device_type": self.fabric.device.type,
            "processor": processor(self.fabric.device),
            "processes": self.fabric.world_size,
        }

    def predict(self, fitted: Fitted, split: str, *, seed: int) -> Predictions:
        """Return a split's float32 logits joined with what is known of its cases."""
        rows = self.prepared.rows(split)
        with located(f"loss {self.row.loss}, seed {seed}, split {split}"):
            logits = fitted.classifier(self._images(split).images)
        return join_predictions(self.prepared, rows, logits.cpu().numpy())

    def record(
        self, seed: int, fitted: Fitted, predictions: dict[str, Predictions]
    ) -> dict[str, Any]:
        """Return where a seed's result comes from, for `run.json`."""
        hashes = {split: array_sha256(each.logits) for split, each in predictions.items()}
        classifier = fitted.classifier
        return {
            **self.inputs(seed),
            "config_hash": fingerprint(self._configs()),
            "revision": source_revision(),
            "dirty": has_uncommitted_changes(),
            "versions": package_versions(),
            "device": _device_name(self.fabric),
            "wall_seconds": sum(row["seconds"] for row in fitted.history),
            "normalisation": {
                "mean": classifier.normalisation.mean.tolist(),
                "sd": classifier.normalisation.sd.tolist(),
            },
            "cosine_head": classifier.has_cosine_head,
            "logit_scale": classifier.logit_scale,
            "image_size": self.prepared.card["image_size"],
            "channels": self.prepared.card["channels"],
            "logits_sha256": fingerprint(hashes),
            "logits_sha256_by_split": hashes,
        }

    def _configs(self) -> dict[str, Any]:
        return {
            "dataset": self.row.dataset,
            "network": {"name": self.row.network, **self.network.model_dump()},
            "loss": {"name": self.row.loss, **self.loss.model_dump()},
            "recipe": {"name": self.row.recipe, **self.recipe.model_dump()},
        }

    def _labels(self, split: str) -> np.ndarray:
        return self.prepared.cases["label"].to_numpy()[self.prepared.rows(split)]

    def _images(self, split: str) -> LabelledImages:
        return LabelledImages.from_arrays(
            self.prepared.images[self.prepared.rows(split)],
            self._labels(split),
            device=self.fabric.device,
        )

    def _make_network(self) -> torch.nn.Module:
        card = self.prepared.card
        with located(f"configs/networks/{self.row.network}.yaml on data set {self.row.dataset}"):
            return make_network(
                self.network.kind,
                spatial_dims=len(card["image_size"]),
                in_channels=card["channels"],
                num_classes=len(self.classes),
                image_size=card["image_size"],
                **self.network.arguments,
            )

    def _make_loss(self) -> torch.nn.Module:
        counts = np.bincount(self._labels("train"), minlength=len(self.classes))
        with located(f"configs/losses/{self.row.loss}.yaml"):
            return make_loss(
                self.loss.kind,
                num_classes=len(self.classes),
                class_counts=counts.tolist(),
                **self.loss.arguments,
            )


def _device_name(fabric: Fabric) -> str:
    if fabric.device.type == "cuda":
        name = torch.cuda.get_device_name(fabric.device)
        return f"{name}, processes: {fabric.world_size}"
    return f"cpu, threads: {torch.get_num_threads()}, processes: {fabric.world_size}"
