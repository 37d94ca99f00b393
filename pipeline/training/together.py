"""Several seeds trained side by side on one device, or one after the other."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from tqdm import tqdm

from pipeline.errors import InputError
from pipeline.training.device import repeatable
from pipeline.training.lanes import open_lane
from pipeline.training.loop import Fitted, in_epoch, progress, train
from pipeline.training.session import Method, State
from pipeline.training.trainer import Trainer, TrainingData

if TYPE_CHECKING:
    from lightning_fabric import Fabric

SPARE = 1.25
"""How much more memory than another seed is expected to take must be free to start it."""


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

    Where steps are captured, as many seeds as the device has memory for are at work at once, each
    on a stream of its own; elsewhere one follows the other. The bits are those of `train`.

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
        As `train`. Side by side, once the others are yielded.
    """
    if len(jobs) > 1 and open_lane(fabric).captures:
        yield from _side_by_side(jobs, data, fabric)
        return
    for job in jobs:
        fitted = train(
            job.method, data, seed=job.seed, fabric=fabric, resume=job.resume, save=job.save
        )
        yield job, fitted


def _side_by_side(
    jobs: Sequence[Job], data: TrainingData, fabric: Fabric
) -> Iterator[tuple[Job, Fitted]]:
    waiting, room = deque(jobs), _Room(fabric.device)
    running: list[tuple[Job, Trainer]] = []
    refused: list[InputError] = []
    with progress(f"{len(jobs)} seeds", fabric) as bar:
        while waiting or running:
            with repeatable(fabric.device):
                while waiting and (not running or room.for_another()):
                    trainer = _start(waiting[0], data, fabric, bar)
                    if trainer is None and not running:
                        message = "the device has no memory for a single seed"
                        raise torch.OutOfMemoryError(message)
                    if trainer is not None:
                        running.append((waiting.popleft(), trainer))
                    room.take(found=trainer is not None)
                running = _run_epoch(running, refused)
            done = [(job, trainer) for job, trainer in running if not trainer.epochs_left]
            running = [(job, trainer) for job, trainer in running if trainer.epochs_left]
            while done:
                job, trainer = done.pop()
                fitted = Fitted(trainer.classifier, trainer.session.history)
                # Its graphs go with it, and the memory that these hold.
                del trainer
                room.give_back()
                yield job, fitted
    if refused:
        raise refused[0]


def _start(job: Job, data: TrainingData, fabric: Fabric, bar: tqdm) -> Trainer | None:
    """Return a job's trainer, or None where the device has no memory for it."""
    try:
        trainer = Trainer(
            job.method,
            data,
            fabric,
            seed=job.seed,
            resume=job.resume,
            lane=open_lane(fabric),
            bar=bar,
        )
    except torch.OutOfMemoryError:
        return None
    bar.total = (bar.total or 0) + trainer.images_left
    return trainer


def _run_epoch(
    running: Sequence[tuple[Job, Trainer]], refused: list[InputError]
) -> list[tuple[Job, Trainer]]:
    """Return the jobs that go on; what ends the others is added to `refused`."""
    # Queued before any is waited for: the device has all seeds' work at hand.
    for _, trainer in running:
        with trainer.lane.open(), in_epoch(trainer):
            trainer.start_epoch()
    going_on = []
    for job, trainer in running:
        try:
            with trainer.lane.open(), in_epoch(trainer):
                trainer.finish_epoch()
        except InputError as error:
            # Without its traceback, which would hold the seed's memory on the device.
            refused.append(InputError(str(error)))
            continue
        if job.save is not None and trainer.epochs_left:
            job.save(trainer.session.state())
        going_on.append((job, trainer))
    return going_on


class _Room:
    """Whether another seed would find memory on a device, learnt from those that did."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._free = free_bytes(device)
        self._seed_bytes = 0

    def for_another(self) -> bool:
        """Return whether the largest seed so far would fit once more."""
        return self._free > SPARE * self._seed_bytes

    def take(self, *, found: bool) -> None:
        """Learn from a seed that was started, or that found no memory."""
        free = free_bytes(self._device) if found else 0
        self._seed_bytes = max(self._seed_bytes, self._free - free)
        self._free = free

    def give_back(self) -> None:
        """Count again after a seed has ended."""
        self._free = free_bytes(self._device)


def free_bytes(device: torch.device) -> int:
    """Return the memory of a device that nothing holds; the host's counts as none."""
    if device.type != "cuda":
        return 0
    gc.collect()
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    return torch.cuda.mem_get_info(device)[0]
