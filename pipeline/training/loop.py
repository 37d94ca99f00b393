"""The training loop: a network, a loss and batches in, a classifier out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from pipeline.errors import InputError, located
from pipeline.losses import EpochFeedback
from pipeline.training.augmentation import read_batch
from pipeline.training.batches import Share, batch_bounds, epoch_batches
from pipeline.training.device import repeatable, seed_torch
from pipeline.training.images import LabelledImages, measure_normalisation
from pipeline.training.prediction import ADVICE, Classifier
from pipeline.training.schedule import learning_rate_factor, set_learning_rate
from pipeline.training.session import (
    Method,
    Session,
    State,
    start_session,
)


@dataclass(frozen=True)
class TrainingData:
    """What a network learns from, and what its progress is watched on."""

    train: LabelledImages
    validation: LabelledImages
    num_classes: int


@dataclass(frozen=True)
class Fitted:
    """A trained classifier and how it came about.

    Attributes
    ----------
    classifier : Classifier
        Stored images to logits.
    history : list of dict
        One row an epoch: epoch, learning_rate, train_loss, val_nll, val_accuracy, seconds.
    """

    classifier: Classifier
    history: list[dict[str, float]]

    def weights(self) -> dict[str, Tensor]:
        """Return the network's parameters and buffers by name, each contiguous."""
        state = self.classifier.network.state_dict()
        return {name: values.contiguous() for name, values in state.items()}


def train(
    method: Method,
    data: TrainingData,
    *,
    seed: int,
    fabric: Fabric,
    resume: State | None = None,
    save: Callable[[State], None] | None = None,
) -> Fitted:
    """Train a network from a seed.

    Parameters
    ----------
    method : Method
        Network, loss and recipe.
    data : TrainingData
        On the device of `fabric`.
    seed : int
        Weights, batches, augmentation and dropout follow from it alone.
    fabric : Fabric
        Device, precision and processes.
    resume : dict, optional
        A state that `save` was given: the run goes on and ends with the same bits.
    save : callable, optional
        Given the state after every epoch but the last.

    Returns
    -------
    Fitted
        Two runs on one machine give the same bits.

    Raises
    ------
    InputError
        If the loss or a validation logit is NaN or infinite (naming loss, seed and epoch), or the
        recipe mixes labels that the loss cannot take.
    """
    with repeatable(fabric.device):
        session = start_session(method, fabric, seed=seed)
        if resume is not None:
            session.take_up(resume)
        classifier = Classifier(
            network=session.network,
            normalisation=measure_normalisation(data.train.images),
            logit_scale=session.logit_scale,
        )
        with (
            located(f"loss {method.name}, seed {seed}"),
            _progress(method, data, session, seed=seed) as bar,
        ):
            trainer = Trainer(method, data, session, classifier, seed, bar)
            while session.epochs_done < method.recipe.epochs:
                with located(f"epoch {session.epochs_done + 1}"):
                    trainer.run_epoch()
                if save is not None and session.epochs_done < method.recipe.epochs:
                    save(session.state())
    return Fitted(classifier, session.history)


@dataclass(frozen=True)
class Trainer:
    """What one seed's epochs work on."""

    method: Method
    data: TrainingData
    session: Session
    classifier: Classifier
    seed: int
    bar: tqdm

    def run_epoch(self) -> None:
        """Train for an epoch, look at the validation cases, and add a row to the history."""
        started, session = time.perf_counter(), self.session
        done = session.epochs_done + 1
        train_loss = self.fit_epoch()
        session.agree_on_buffers()
        labels = self.data.validation.labels
        logits = self.classifier(self.data.validation.images)
        # A loss that adapts to how calibrated the network is on held-out cases does so here.
        if isinstance(session.loss, EpochFeedback):
            session.loss.end_epoch(done / self.method.recipe.epochs, lambda: (logits, labels))
        session.history.append(
            {
                "epoch": done,
                "learning_rate": session.optimiser.param_groups[0]["lr"],
                "train_loss": train_loss,
                "val_nll": float(functional.cross_entropy(logits, labels)),
                "val_accuracy": float((logits.argmax(1) == labels).float().mean()),
                "seconds": time.perf_counter() - started,
            }
        )

    def fit_epoch(self) -> float:
        """Take one step a batch; return the mean loss over the epoch's cases."""
        session, recipe, epoch = self.session, self.method.recipe, self.session.epochs_done
        share = Share(session.fabric.global_rank, session.fabric.world_size)
        shape = tuple(self.data.train.images.shape)
        num_batches = len(batch_bounds(shape[0], recipe, world_size=share.world_size))
        # Trailing zeros add nothing to a seed: epochs count from 1, apart from the weights' draw.
        seed_torch(self.seed, epoch + 1, share.rank)
        session.wrapped.train()
        total, seen = torch.zeros((), device=session.fabric.device), 0
        batches = epoch_batches(shape, recipe, seed=self.seed, epoch=epoch, share=share)
        for number, batch in enumerate(batches):
            moment = epoch + (number + 0.5) / num_batches
            factor = learning_rate_factor(recipe.schedule, epoch=moment, epochs=recipe.epochs)
            set_learning_rate(session.optimiser, recipe.optimiser.learning_rate * factor)
            images, labels = read_batch(
                self.data.train,
                batch,
                self.classifier.normalisation,
                num_classes=self.data.num_classes,
            )
            loss = take_step(session, images, labels, clip_norm=recipe.gradient_clip_norm)
            total += loss * len(batch)
            seen += len(batch)
            if self.bar.update(len(batch) * share.world_size):
                self.bar.set_postfix(loss=f"{float(loss):.3f}", refresh=False)
        return _finite(session.fabric.all_reduce(total / seen, reduce_op="mean"))


def take_step(
    session: Session, images: Tensor, labels: Tensor, *, clip_norm: float | None
) -> Tensor:
    """Move the weights down the gradient of one batch's loss; return the loss, detached."""
    session.optimiser.zero_grad(set_to_none=True)
    loss = session.loss(session.wrapped(images), labels)
    session.fabric.backward(loss)
    if clip_norm is not None:
        session.fabric.clip_gradients(session.wrapped, session.optimiser, max_norm=clip_norm)
    session.optimiser.step()
    return loss.detach()


def _finite(loss: Any) -> float:
    mean = float(loss)
    if not math.isfinite(mean):
        message = f"the training loss must be finite, got {mean}: {ADVICE}"
        raise InputError(message)
    return mean


@contextmanager
def _progress(method: Method, data: TrainingData, session: Session, *, seed: int) -> Iterator[tqdm]:
    """Show loss, images a second and time left; `disable=None` is quiet without a terminal."""
    bounds = batch_bounds(len(data.train), method.recipe, world_size=session.fabric.world_size)
    epoch_images = sum(end - start for start, end in bounds)
    with tqdm(
        total=epoch_images * method.recipe.epochs,
        initial=epoch_images * session.epochs_done,
        desc=f"{method.name} seed {seed}",
        unit=" images",
        unit_scale=True,
        disable=None if session.fabric.is_global_zero else True,
    ) as bar:
        yield bar
