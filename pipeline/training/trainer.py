"""One seed's epochs: their steps and a look at the validation cases, eager or captured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from pipeline.errors import InputError
from pipeline.losses import EpochFeedback
from pipeline.training.augmentation import BatchReader
from pipeline.training.batches import Batch, Share, epoch_batches
from pipeline.training.device import seed_torch
from pipeline.training.images import LabelledImages, measure_normalisation
from pipeline.training.lanes import Lane
from pipeline.training.prediction import ADVICE, Classifier, require_finite_logits
from pipeline.training.schedule import (
    capturable,
    hold_rate_in_tensor,
    learning_rate_factor,
    set_learning_rate,
)
from pipeline.training.session import Method, Session, State, start_session
from pipeline.training.staging import StagedBatches

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class TrainingData:
    """What a network learns from, and what its progress is watched on."""

    train: LabelledImages
    validation: LabelledImages
    num_classes: int


@dataclass(frozen=True)
class _Part:
    """The batches of one size of an epoch, and the step that is taken for each."""

    staged: StagedBatches
    step: Callable[[], None]


class Trainer:
    """One seed between two epochs.

    `start_epoch` asks for all of an epoch's work, `finish_epoch` waits for it, so that several
    seeds can be at work at once. What is recorded reads and changes tensors alone.

    Parameters
    ----------
    method, data, fabric, seed, resume
        As of `train`.
    lane : Lane
        Where the work is done. It must be open around the calls of both methods.
    bar : tqdm
        Counts images.
    """

    def __init__(
        self,
        method: Method,
        data: TrainingData,
        fabric: Fabric,
        *,
        seed: int,
        resume: State | None,
        lane: Lane,
        bar: tqdm,
    ) -> None:
        self.method, self.data, self.seed, self.lane, self.bar = method, data, seed, lane, bar
        self.share = Share(fabric.global_rank, fabric.world_size)
        with lane.open():
            self.session = start_session(method, fabric, seed=seed)
            if resume is not None:
                self.session.take_up(resume)
            if lane.captures or fabric.device.type == "cuda":
                hold_rate_in_tensor(self.session.optimiser, fabric.device)
            self.classifier = Classifier(
                network=self.session.network,
                normalisation=measure_normalisation(data.train.images),
                logit_scale=self.session.logit_scale,
            )
            self._read = BatchReader(
                data.train,
                self.classifier.normalisation,
                data.num_classes,
                padding=method.recipe.augmentation.crop_padding,
            )
            self._total, self._loss = torch.zeros(2, device=fabric.device).unbind()
            shape = (len(data.validation), data.num_classes)
            self._logits = torch.zeros(shape, device=fabric.device)
            self._record()

    @property
    def epochs_left(self) -> int:
        """Epochs that are not trained yet."""
        return self.method.recipe.epochs - self.session.epochs_done

    @property
    def images_left(self) -> int:
        """Images of all processes that are still to be trained on."""
        return self.epochs_left * self._num_cases * self.share.world_size

    @property
    def _num_cases(self) -> int:
        return sum(len(part.staged) * part.staged.batch_size for part in self._parts)

    def start_epoch(self) -> None:
        """Train for an epoch and predict the validation cases; on CUDA wait for neither."""
        self._started = time.perf_counter()
        self.fit_epoch()
        self.session.agree_on_buffers()
        self._validate()

    def finish_epoch(self) -> None:
        """Tell the loss how the epoch went, and add a row to the history.

        Raises
        ------
        InputError
            If the mean loss or a logit is NaN or infinite.
        """
        session, labels = self.session, self.data.validation.labels
        train_loss = self.mean_loss()
        require_finite_logits(self._logits)
        done = session.epochs_done + 1
        # A loss that adapts to how calibrated the network is on held-out cases does so here.
        if isinstance(session.loss, EpochFeedback):
            session.loss.end_epoch(done / self.method.recipe.epochs, lambda: (self._logits, labels))
        session.history.append(
            {
                "epoch": done,
                "learning_rate": self._last_rate,
                "train_loss": train_loss,
                "val_nll": float(functional.cross_entropy(self._logits, labels)),
                "val_accuracy": float((self._logits.argmax(1) == labels).float().mean()),
                "seconds": time.perf_counter() - self._started,
            }
        )
        if self.lane.captures:
            self._show(self._num_cases, self._total / self._num_cases)

    def fit_epoch(self) -> None:
        """Take one step a batch."""
        # Trailing zeros add nothing to a seed: epochs count from 1, apart from the weights' draw.
        seed_torch(self.seed, self.session.epochs_done + 1, self.share.rank)
        self.session.wrapped.train()
        self._total.zero_()
        for part, (batches, rates) in zip(self._parts, self._epoch(), strict=True):
            part.staged.load(batches, rates)
            self._last_rate = rates[-1]
            for _ in batches:
                part.step()
                # To show a captured step's loss would be to wait for it.
                if not self.lane.captures:
                    self._show(part.staged.batch_size, self._loss)

    def mean_loss(self) -> float:
        """Return the mean loss over the epoch's cases of all processes, having waited for it."""
        mean: Any = self.session.fabric.all_reduce(self._total / self._num_cases, reduce_op="mean")
        if not math.isfinite(float(mean)):
            message = f"the training loss must be finite, got {float(mean)}: {ADVICE}"
            raise InputError(message)
        return float(mean)

    def _record(self) -> None:
        device = self.session.fabric.device
        staged = [StagedBatches(*batches, device=device) for batches in self._epoch()]
        self.session.wrapped.train()
        with self.session.unchanged(), capturable(self.session.optimiser):
            self._parts = [_Part(each, self.lane.record(self._step(each))) for each in staged]
            self._validate = self.lane.record(self._predict)

    def _step(self, staged: StagedBatches) -> Callable[[], None]:
        def step() -> None:
            batch, learning_rate = staged.next()
            set_learning_rate(self.session.optimiser, learning_rate)
            images, labels = self._read(batch)
            clip_norm = self.method.recipe.gradient_clip_norm
            loss = take_step(self.session, images, labels, clip_norm=clip_norm)
            self._loss.copy_(loss)
            self._total.add_(loss * staged.batch_size)

        return step

    def _predict(self) -> None:
        self._logits.copy_(self.classifier.unchecked(self.data.validation.images))

    def _epoch(self) -> Iterator[tuple[list[Batch], list[float]]]:
        """Yield the next epoch's batches and learning rates, those of one size together."""
        recipe, epoch = self.method.recipe, self.session.epochs_done
        shape = tuple(self.data.train.images.shape)
        batches = list(epoch_batches(shape, recipe, seed=self.seed, epoch=epoch, share=self.share))
        moments = [epoch + (number + 0.5) / len(batches) for number in range(len(batches))]
        rates = [
            recipe.optimiser.learning_rate
            * learning_rate_factor(recipe.schedule, epoch=moment, epochs=recipe.epochs)
            for moment in moments
        ]
        # A short batch can only be the last.
        for _, group in groupby(zip(batches, rates, strict=True), lambda each: len(each[0])):
            of_one_size = list(group)
            yield [batch for batch, _ in of_one_size], [rate for _, rate in of_one_size]

    def _show(self, num_images: int, loss: Tensor) -> None:
        if self.bar.update(num_images * self.share.world_size):
            self.bar.set_postfix(loss=f"{float(loss):.3f}", refresh=False)


def take_step(
    session: Session, images: Tensor, labels: Tensor, *, clip_norm: float | None
) -> Tensor:
    """Move the weights down the gradient of one batch's loss; return the loss, detached."""
    session.optimiser.zero_grad(set_to_none=True)
    loss = session.loss(session.wrapped(images), labels)
    session.fabric.backward(loss)
    if clip_norm is not None:
        # To look at the norm would be to wait for it: an infinite one makes the next loss NaN,
        # which the epoch's end refuses.
        session.fabric.clip_gradients(
            session.wrapped, session.optimiser, max_norm=clip_norm, error_if_nonfinite=False
        )
    session.optimiser.step()
    return loss.detach()
