"""Seeds handed to a cluster, their progress shown, and what comes back put in its place."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pipeline.artifacts import Prepared
from pipeline.checkpoints import Checkpoint
from pipeline.errors import InputError
from pipeline.launching.agreement import Identity
from pipeline.launching.arriving import keep_delivery
from pipeline.launching.cluster import Resources
from pipeline.launching.worker import Order, train_order
from pipeline.progress import Progress
from pipeline.seeds import PlannedSeed

MOST_DEATHS = 3
"""Of the workers of one seed, after which it is given up."""

SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class Launched:
    """A seed to train, and where its files are kept, by its key on each kind of processor."""

    seed: PlannedSeed
    places: dict[str, Checkpoint]


@dataclass
class Dispatch:
    """The seeds that a cluster trains."""

    ray: ModuleType
    resources: Resources
    identity: Identity
    root: Path
    seconds_between_saves: float
    _deaths: Counter[str] = field(default_factory=Counter, init=False)
    _epochs: Counter[str] = field(default_factory=Counter, init=False)
    _failures: list[str] = field(default_factory=list, init=False)

    def run(self, launched: Sequence[Launched], data: Mapping[str, Prepared]) -> None:
        """Train seeds, in their order, and keep each as soon as it comes back.

        Raises
        ------
        InputError
            At the end, naming the first seed that could not be trained.
        """
        progress = Progress({each.seed.key: each.seed.recipe.epochs for each in launched})
        # Ray tells of a dead worker on standard output, whatever it is asked.
        with progress, redirect_stdout(io.StringIO()):
            self._train(launched, data, progress)
        if self._failures:
            message = f"{len(self._failures)} of {len(launched)} seeds failed: {self._failures[0]}"
            raise InputError(message)

    def _train(
        self, launched: Sequence[Launched], data: Mapping[str, Prepared], progress: Progress
    ) -> None:
        stored = self._stored(launched, data)
        mailbox = self._mailbox()
        running = {self._send(each, stored, mailbox): each for each in launched}
        by_key = {each.seed.key: each for each in launched}
        while running:
            done, _ = self.ray.wait(list(running), timeout=SECONDS_BETWEEN_LOOKS)
            # First the states: where a worker died, its last one is what the next goes on from.
            self._read(mailbox, by_key, progress)
            for reference in done:
                each = running.pop(reference)
                if not self._receive(reference, each, progress):
                    running[self._send(each, stored, mailbox)] = each

    def _stored(self, launched: Sequence[Launched], data: Mapping[str, Prepared]) -> dict[str, Any]:
        """Put each data set into the cluster's store of objects, once for all of its seeds."""
        names = dict.fromkeys(each.seed.row.dataset for each in launched)
        # Not as a map of a file that only this machine has.
        return {
            name: self.ray.put(
                Prepared(np.asarray(data[name].images), data[name].cases, data[name].card)
            )
            for name in names
        }

    def _mailbox(self) -> Any:
        from ray.util.queue import Queue
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        # Beside the one who empties it, so that it lives as long.
        here = self.ray.get_runtime_context().get_node_id()
        nearby = NodeAffinitySchedulingStrategy(here, soft=False)
        return Queue(actor_options={"num_cpus": 0, "scheduling_strategy": nearby})

    def _send(self, launched: Launched, stored: Mapping[str, Any], mailbox: Any) -> Any:
        states = {key: place.saved_state() for key, place in launched.places.items()}
        order = Order(
            launched.seed,
            {key: state for key, state in states.items() if state is not None},
            self.identity,
            self.seconds_between_saves,
        )
        train = self.ray.remote(_train).options(name="train", **self.resources.options())
        return train.remote(order, stored[launched.seed.row.dataset], mailbox)

    def _read(self, mailbox: Any, by_key: Mapping[str, Launched], progress: Progress) -> None:
        for key, epoch, own_key, state in mailbox.get_nowait_batch(mailbox.qsize()):
            progress.reach(key, epoch)
            if state is not None and own_key in by_key[key].places:
                by_key[key].places[own_key].keep(state)
                self._epochs[key] = epoch

    def _receive(self, reference: Any, launched: Launched, progress: Progress) -> bool:
        """Keep what a task came to; return whether its seed is settled."""
        seed, errors = launched.seed, self.ray.exceptions
        try:
            delivery = self.ray.get(reference)
            checkpoint = Checkpoint(self.root / "data/checkpoints" / delivery.key)
            keep_delivery(delivery, checkpoint, self.identity)
        except errors.RayTaskError as error:
            if not isinstance(error.cause, InputError):
                raise
            return self._give_up(f"{seed}: {error.cause}", progress)
        except errors.RayError as error:
            self._deaths[seed.key] += 1
            if self._deaths[seed.key] > MOST_DEATHS:
                return self._give_up(f"{seed}: {MOST_DEATHS + 1} workers died", progress)
            kind, epoch = type(error).__name__, self._epochs[seed.key]
            message = f"{seed}: its worker died ({kind}); another goes on after epoch {epoch}"
            progress.say(message, error=True)
            return False
        progress.finish(seed.key)
        progress.say(f"{seed}: trained")
        return True

    def _give_up(self, message: str, progress: Progress) -> bool:
        self._failures.append(message)
        progress.say(message, error=True)
        return True


def _train(order: Order, prepared: Prepared, mailbox: Any) -> Any:
    import ray

    place = ray.util.get_node_ip_address()
    return train_order(order, prepared, mailbox.put_nowait, place=place)
