"""Several seeds trained side by side on one device, or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lightning_fabric import Fabric

from pipeline.training.loop import Fitted, train
from pipeline.training.session import Method, State
from pipeline.training.trainer import TrainingData


@dataclass(frozen=True)
class Job:
    """One seed to train; the fields are those of `train`.

    Attributes
    ----------
    method : Method
        Network, loss and recipe.
    seed : int
        Weights, batches, augmentation and dropout follow from it alone.
    resume : dict, optional
        The state to go on from.
    save : callable, optional
        Given the state after every epoch but the last.
    """

    method: Method
    seed: int
    resume: State | None = None
    save: Callable[[State], None] | None = None


def train_together(
    jobs: Sequence[Job], data: TrainingData, *, fabric: Fabric
) -> Iterator[tuple[Job, Fitted]]:
    """Yield each job with what it came to, as soon as it is trained, in any order.

    Parameters
    ----------
    jobs : sequence of Job
        Seeds, of one loss or of several, that learn from the same cases.
    data : TrainingData
        On the device of `fabric`.
    fabric : Fabric
        Device, precision and processes.

    Raises
    ------
    InputError
        As `train`; jobs that were yielded before are not lost.
    """
    for job in jobs:
        fitted = train(
            job.method, data, seed=job.seed, fabric=fabric, resume=job.resume, save=job.save
        )
        yield job, fitted
