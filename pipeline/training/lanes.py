"""Where one seed's work is done: at once on the CPU, or recorded and replayed on CUDA.

On CUDA the host spends nine tenths of an eager step launching kernels. Recorded once as a CUDA
graph, a step is launched as a whole. What is recorded must read all that changes between steps from
tensors that stay where they are, change tensors in place, and never wait for the device.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

import torch

from pipeline.errors import InputError
from pipeline.training.device import FABRIC_PRECISION

if TYPE_CHECKING:
    from lightning_fabric import Fabric

NUM_WARM_UPS = 3
"""As torch's notes on CUDA graphs advise: libraries set themselves up in the first calls."""

CAPTURE_VARIABLE = "PIPELINE_CAPTURE"
CAPTURES = ("auto", "never")

Work = Callable[[], None]


class Lane(Protocol):
    """Where one seed's work is done, apart from other seeds'.

    Attributes
    ----------
    captures : bool
        Whether work is recorded. If so it runs on a while before it counts: whoever has it
        recorded puts back what that changes.
    """

    captures: bool

    def open(self) -> AbstractContextManager[None]:
        """Do here what is done inside, with random numbers of this lane alone."""

    def record(self, work: Work) -> Work:
        """Return what does the work again and again; called inside `open`."""


class EagerLane:
    """The host launches each operation; nothing is recorded."""

    captures = False

    def open(self) -> AbstractContextManager[None]:
        """Change nothing."""
        return nullcontext()

    def record(self, work: Work) -> Work:
        """Return the work as it is."""
        return work


class CapturedLane:
    """A CUDA stream, on which recorded work is replayed as a CUDA graph.

    Parameters
    ----------
    device : device
        Of type CUDA, with its index.

    References
    ----------
    PyTorch's notes on CUDA semantics, section "CUDA Graphs".
    """

    captures = True

    def __init__(self, device: torch.device) -> None:
        torch.cuda.init()
        self._stream = torch.cuda.Stream(device)
        # The graphs of one lane never run at the same time, so they may use the same memory.
        self._pool = torch.cuda.graph_pool_handle()
        self._generator = torch.cuda.default_generators[device.index]
        self._random_state = self._generator.clone_state()
        # What is on the device already was put there by the caller's stream.
        self._stream.wait_stream(torch.cuda.current_stream(device))

    @contextmanager
    def open(self) -> Iterator[None]:
        """Queue on this stream; dropout draws from this lane's state, which its graphs know."""
        callers = self._generator.graphsafe_get_state()
        self._generator.graphsafe_set_state(self._random_state)
        try:
            with torch.cuda.stream(self._stream):
                yield
        finally:
            self._generator.graphsafe_set_state(callers)

    def record(self, work: Work) -> Work:
        """Return the replay of the work, or the work itself where it cannot be captured."""
        try:
            self._warm_up(work)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                work()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            # Where memory runs out, the end of the capture fails as well and hides why.
            if isinstance(error.__context__, torch.OutOfMemoryError):
                raise error.__context__ from None
            # torch raises nothing more special for what a graph cannot hold.
            say_once(f"a step runs without capture: {str(error).splitlines()[0]}")
            return work
        return _Replay(graph, work)

    def _warm_up(self, work: Work) -> None:
        for _ in range(NUM_WARM_UPS - 1):
            work()
        # Work that waits for the device cannot be captured. Here torch says so and nothing is
        # lost; a capture that fails may leave the allocator waiting for its end.
        mode = torch.cuda.get_sync_debug_mode()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype")
            torch.cuda.set_sync_debug_mode("error")
        try:
            work()
        finally:
            torch.cuda.set_sync_debug_mode(mode)


@dataclass(frozen=True)
class _Replay:
    """A CUDA graph, and the work, which keeps alive the memory that the graph reads by address."""

    graph: torch.cuda.CUDAGraph
    work: Work

    def __call__(self) -> None:
        self.graph.replay()


def open_lane(fabric: Fabric) -> Lane:
    """Return a new lane on the device of a fabric; says once where CUDA cannot capture.

    `PIPELINE_CAPTURE` is auto (capture on CUDA) or never.

    Raises
    ------
    InputError
        If it names something else.
    """
    wanted = os.environ.get(CAPTURE_VARIABLE, "auto")
    if wanted not in CAPTURES:
        message = f"{CAPTURE_VARIABLE} must be one of {', '.join(CAPTURES)}, got {wanted!r}"
        raise InputError(message)
    if fabric.device.type != "cuda" or wanted == "never":
        return EagerLane()
    if obstacle := _obstacle(fabric):
        say_once(f"steps run without capture: {obstacle}")
        return EagerLane()
    return CapturedLane(fabric.device)


def _obstacle(fabric: Fabric) -> str | None:
    if fabric.world_size > 1:
        return "several processes share each batch"
    if fabric.strategy.precision.precision == FABRIC_PRECISION["float16"]:
        return "float16 waits for the device to scale its loss"
    return None


@cache
def say_once(message: str) -> None:
    """Write a note to the terminal, the first time alone."""
    sys.stderr.write(f"note: {message}\n")
