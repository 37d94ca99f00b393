"""Seeds trained side by side on the CPU: a process a core, each as if it were alone."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, redirect_stderr
from multiprocessing.connection import Connection
from pathlib import Path
from threading import RLock, Thread
from typing import Any

import torch
from tqdm import tqdm

from pipeline.artifacts import Prepared, load_prepared
from pipeline.checkpoints import Checkpoint
from pipeline.errors import InputError
from pipeline.metrics.side_by_side import available_cores
from pipeline.progress import Progress
from pipeline.seeds import PlannedSeed, train_seeds
from pipeline.training import start_fabric

COPIES = 3
"""Of its images a worker holds those of two splits, and while they are read a copy more."""

SECONDS_BETWEEN_LOOKS = 0.2


def workers_for(num_seeds: int, prepared: Prepared) -> int:
    """Return how many seeds to train at once, in as many processes.

    One a core, where each has `torch.get_num_threads()` of them, unless `PIPELINE_WORKERS` states a
    number; as many as half of the memory holds the images of.

    Raises
    ------
    InputError
        If `PIPELINE_WORKERS` is no number of at least 1.
    """
    stated = os.environ.get("PIPELINE_WORKERS", "")
    if stated and not (stated.isdecimal() and int(stated)):
        message = f"PIPELINE_WORKERS must be a number of at least 1, got {stated!r}"
        raise InputError(message)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    fitting = memory // 2 // (COPIES * prepared.images.nbytes)
    chosen = int(stated) if stated else min(available_cores() // torch.get_num_threads(), fitting)
    return max(1, min(num_seeds, chosen))


def train_side_by_side(
    checkpoints: Mapping[str, Checkpoint],
    seeds: Sequence[PlannedSeed],
    prepared: Path,
    *,
    workers: int,
) -> None:
    """Train seeds in processes of their own, which end with this one, whatever ends it.

    The bits are those of a seed trained alone: each process computes with as many threads as this
    one would.

    Parameters
    ----------
    checkpoints : mapping
        By a seed's key, where its files are kept.
    seeds : sequence of PlannedSeed
        What to train.
    prepared : Path
        Folder of the prepared data, which was checked.
    workers : int
        Processes.

    Raises
    ------
    InputError
        What a seed raises, once the others are ended, or that a process died. States that were
        saved stay, so the same command goes on from them.
    """
    # A fork would copy the locks of whatever threads run here; a spawned worker starts clean.
    context = multiprocessing.get_context("spawn")
    epochs = context.Array("i", len(seeds), lock=False)
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(theirs, epochs))
    try:
        with _interrupts_held_back():
            futures = {
                pool.submit(_work, number, seed, checkpoints[seed.key], prepared): seed
                for number, seed in enumerate(seeds)
            }
        _await(futures, epochs)
    except BrokenProcessPool as error:
        message = (
            f"one of {workers} processes was ended from outside, most likely because memory ran "
            "out: what was trained is kept; PIPELINE_WORKERS=1 trains one seed at a time"
        )
        raise InputError(message) from error
    except BaseException:
        # Workers do not wait for their seeds to end: when this end is closed they exit.
        ours.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        ours.close()
        theirs.close()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hear of Ctrl-C after; processes started inside never do, not even while they start."""
    held_back = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held_back)


def _await(futures: Mapping[Future[str], PlannedSeed], epochs: Sequence[int]) -> None:
    seeds = list(futures.values())
    with Progress({seed.key: seed.recipe.epochs for seed in seeds}) as progress:
        waiting = set(futures)
        while waiting:
            done, waiting = wait(waiting, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
            for seed, epoch in zip(seeds, epochs, strict=True):
                progress.reach(seed.key, epoch)
            for future in done:
                for line in future.result().splitlines():
                    progress.say(line, error=True)
                progress.say(f"{futures[future]}: trained")


_epochs: Any = None
"""In a worker: how many epochs of each seed are done, in memory shared with who waits."""


def _begin(leash: Connection, epochs: Any) -> None:
    """Make a process a worker, which ends with the one that started it."""
    global _epochs  # noqa: PLW0603, the executor gives its initialiser no other place
    _epochs = epochs
    # tqdm's own lock is one between processes, which a worker that is ended would leave behind.
    tqdm.set_lock(RLock())
    Thread(target=_end_with, args=(leash,), daemon=True).start()


def _end_with(leash: Connection) -> None:
    try:
        leash.recv()
    except EOFError:
        os._exit(1)


def _work(number: int, seed: PlannedSeed, checkpoint: Checkpoint, folder: Path) -> str:
    """Train one seed; return what was written to standard error."""

    def tell(_seed: PlannedSeed, epoch: int, _saved: bool) -> None:
        _epochs[number] = epoch

    # No terminal: the loop's own bar stays quiet.
    with redirect_stderr(io.StringIO()) as said:
        prepared, fabric = load_prepared(folder), start_fabric(seed.recipe)
        if seed.task(prepared, fabric).inputs(seed.seed) != seed.inputs:
            message = f"{seed}: code or data were changed since the command began: repeat it"
            raise InputError(message)
        for _ in train_seeds({seed.key: checkpoint}, [seed], prepared, fabric, tell=tell):
            _epochs[number] = seed.recipe.epochs
    return said.getvalue()
