"""Train a network: a method, cases and a seed in, a classifier out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor
from tqdm import tqdm

from pipeline.errors import located
from pipeline.training.device import repeatable
from pipeline.training.lanes import open_lane
from pipeline.training.prediction import Classifier
from pipeline.training.session import Method, State
from pipeline.training.trainer import Trainer, TrainingData

if TYPE_CHECKING:
    from lightning_fabric import Fabric


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
    lane = open_lane(fabric)
    with repeatable(fabric.device), progress(f"{method.name} seed {seed}", fabric) as bar:
        trainer = Trainer(method, data, fabric, seed=seed, resume=resume, lane=lane, bar=bar)
        bar.reset(total=trainer.images_left)
        while trainer.epochs_left:
            with lane.open(), in_epoch(trainer):
                trainer.start_epoch()
                trainer.finish_epoch()
            if save is not None and trainer.epochs_left:
                save(trainer.session.state())
    return Fitted(trainer.classifier, trainer.session.history)


@contextmanager
def in_epoch(trainer: Trainer) -> Iterator[None]:
    """Name loss, seed and epoch in what is refused inside."""
    with (
        located(f"loss {trainer.method.name}, seed {trainer.seed}"),
        located(f"epoch {trainer.session.epochs_done + 1}"),
    ):
        yield


def progress(title: str, fabric: Fabric) -> tqdm:
    """Return what shows loss, images a second and time left; quiet without a terminal."""
    return tqdm(
        desc=title,
        unit=" images",
        unit_scale=True,
        disable=None if fabric.is_global_zero else True,
    )
