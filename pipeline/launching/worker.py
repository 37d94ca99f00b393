"""What a worker of the cluster does: say what it is, and train one seed."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from pipeline.artifacts import Prepared
from pipeline.checkpoints import Checkpoint
from pipeline.launching.agreement import Identity, own_identity, require_agreement
from pipeline.seeds import PlannedSeed, train_seeds
from pipeline.training import start_fabric
from pipeline.training.processor import processor

Post = Callable[[tuple[str, int, str, bytes | None]], None]
"""Takes a seed's own key where it was planned, epochs done, its key here, and perhaps its state."""

Processor = dict[str, str | int]


@dataclass(frozen=True)
class Order:
    """A seed to train, sent to a worker.

    Attributes
    ----------
    seed : PlannedSeed
    states : mapping of str to bytes
        Where it was left, by the key that the kind of processor gives it: another kind's state goes
        on to other bits.
    identity : Identity
        What the worker must be like.
    seconds_between_saves : float
        Least time between two states that are sent back.
    """

    seed: PlannedSeed
    states: Mapping[str, bytes]
    identity: Identity
    seconds_between_saves: float


@dataclass(frozen=True)
class Delivery:
    """A trained seed: its key on the worker, and its files by name."""

    key: str
    files: dict[str, bytes]


def describe_worker(device: str) -> tuple[Identity, Processor]:
    """Return what a worker's results depend on: code and versions; its processor."""
    return own_identity(), processor(torch.device(device))


def train_order(order: Order, prepared: Prepared, post: Post, *, place: str) -> Delivery:
    """Train one seed in a folder of the worker's own, telling of every epoch.

    Raises
    ------
    InputError
        If the worker differs from the machine that sent the order, or what training raises.
    """
    require_agreement(order.identity, own_identity(), place=place)
    # What a library says goes nowhere: a worker's logs are kept by the cluster.
    quiet = io.StringIO()
    with TemporaryDirectory() as folder, redirect_stderr(quiet), redirect_stdout(quiet):
        fabric = start_fabric(order.seed.recipe)
        inputs = order.seed.task(prepared, fabric).inputs(order.seed.seed)
        seed = replace(order.seed, inputs=inputs)
        checkpoint = Checkpoint(Path(folder) / seed.key, order.seconds_between_saves)
        if seed.key in order.states:
            checkpoint.keep(order.states[seed.key])

        def tell(_seed: PlannedSeed, epoch: int, saved: bool) -> None:
            post((order.seed.key, epoch, seed.key, checkpoint.saved_state() if saved else None))

        for _ in train_seeds({seed.key: checkpoint}, [seed], prepared, fabric, tell=tell):
            pass
        files = {path.name: path.read_bytes() for path in checkpoint.finished.iterdir()}
        return Delivery(seed.key, files)
