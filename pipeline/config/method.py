"""What is tried: a network, a loss, a calibrator, and the recipe that trains."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pipeline.config.reading import Strict


class NetworkConfig(Strict):
    """A network of `pipeline.networks.NETWORKS` and its arguments."""

    kind: str
    arguments: dict[str, Any] = {}


class LossConfig(Strict):
    """A loss of `pipeline.losses.LOSSES` and its arguments."""

    kind: str
    arguments: dict[str, Any] = {}


class CalibratorConfig(Strict):
    """A calibrator of `pipeline.calibrators.CALIBRATORS` and its arguments."""

    kind: str
    arguments: dict[str, Any] = {}


class Optimiser(Strict):
    """Stochastic gradient descent with momentum, or Adam (AdamW where weights decay apart)."""

    kind: Literal["sgd", "adam", "adamw"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    nesterov: bool = False


class Schedule(Strict):
    """Learning rate over the epochs: constant, divided at milestones, or along half a cosine."""

    kind: Literal["constant", "step", "cosine"] = "constant"
    milestones: list[int] = []
    factor: float = Field(default=0.1, gt=0, lt=1)
    warmup_epochs: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _milestones_belong_to_steps(self) -> Self:
        if (self.kind == "step") != bool(self.milestones):
            message = "'milestones' go with kind: step, and it needs them"
            raise ValueError(message)
        return self


class Augmentation(Strict):
    """Random changes of a training batch, made on the device; sizes in pixels."""

    crop_padding: int = Field(default=0, ge=0)
    flip: bool = False
    mixup_alpha: float = Field(default=0.0, ge=0)


class Recipe(Strict):
    """How a network is trained."""

    epochs: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    optimiser: Optimiser
    schedule: Schedule = Schedule()
    augmentation: Augmentation = Augmentation()
    last_batch: Literal["drop", "keep"] = "drop"
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    gradient_clip_norm: float | None = Field(default=None, gt=0)
