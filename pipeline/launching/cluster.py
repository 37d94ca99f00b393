"""A Ray cluster: started on this machine or joined, and what its workers are."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch

from pipeline.errors import InputError
from pipeline.launching.agreement import Identity, require_agreement
from pipeline.launching.worker import Processor, describe_worker
from pipeline.metrics.side_by_side import available_cores
from pipeline.provenance import PACKAGE_FOLDER

PASSED_ON = ("ATEN_CPU_CAPABILITY", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA")
"""Variables that bits follow, which workers get as they are here."""

LEAST_STORE_BYTES = 2**28
STORE_SHARE = 2
"""Times the prepared data that the local store of objects holds: those, and what comes back."""

CONNECTION_SECONDS = 10
ANSWER_SECONDS = 300
"""Within which every machine of the cluster must have said what it is."""


@dataclass(frozen=True)
class Resources:
    """Where a seed is trained and how much of a machine it takes.

    Attributes
    ----------
    device : str
        cpu or cuda.
    threads : int
        Each on a core of its own.
    gpus : float
        Share of a GPU; 0 on the CPU.
    """

    device: str
    threads: int
    gpus: float

    def options(self) -> dict[str, Any]:
        """Return what Ray reserves for a seed, which it never repeats by itself."""
        return {"num_cpus": self.threads, "num_gpus": self.gpus, "max_retries": 0}


def wanted_resources(seeds_per_gpu: int) -> Resources:
    """Return what a seed takes: the device that training here would use, unless stated."""
    if seeds_per_gpu < 1:
        message = f"--seeds-per-gpu must be at least 1, got {seeds_per_gpu}"
        raise InputError(message)
    stated = os.environ.get("PIPELINE_DEVICE", "auto")
    cuda = stated == "cuda" or (stated == "auto" and torch.cuda.is_available())
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    if not threads.isdecimal() or int(threads) < 1:
        message = f"OMP_NUM_THREADS must be a number of at least 1, got {threads!r}"
        raise InputError(message)
    return Resources("cuda" if cuda else "cpu", int(threads), 1 / seeds_per_gpu if cuda else 0)


def require_ray() -> ModuleType:
    """Return Ray; `InputError` says how to install it where it lacks."""
    # Before Ray is imported. It reports its use to its makers otherwise ...
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # ... and warns that it will not hide the GPUs of tasks without one in later versions.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        message = "launch needs Ray: pip install 'calibrated-imaging[launch]'"
        raise InputError(message) from error
    return ray


@contextmanager
def cluster(address: str | None, resources: Resources, *, data_bytes: int) -> Iterator[ModuleType]:
    """Give Ray, connected to the cluster at an address, or to one of this machine's cores alone.

    Raises
    ------
    InputError
        If Ray is not installed, or no cluster answers there.
    """
    ray = require_ray()
    variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    variables |= {"OMP_NUM_THREADS": str(resources.threads), "PIPELINE_DEVICE": resources.device}
    environment: dict[str, Any] = {"env_vars": variables | {"PIPELINE_DEVICES": "1"}}
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        store = max(LEAST_STORE_BYTES, STORE_SHARE * data_bytes)
        where: dict[str, Any] = {
            # Not a cluster that happens to run here, which Ray would join otherwise.
            "address": "local",
            "num_cpus": available_cores(),
            "include_dashboard": False,
            "object_store_memory": store,
        }
    else:
        _require_answer(address)
        # Machines that share no files get the code with the work.
        environment["py_modules"] = [str(PACKAGE_FOLDER)]
        where = {"address": address}
    try:
        ray.init(**where, **quiet, runtime_env=environment)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        place = (
            f"cluster of this machine answers at {address}" if address else "cluster starts here"
        )
        message = f"no Ray {place}: {error}"
        raise InputError(message) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    """Raise `InputError` at once where Ray would look for minutes."""
    host, colon, port = address.rpartition(":")
    if address == "auto":
        return
    if not (colon and port.isdecimal()) or "//" in host:
        message = f"--address must be HOST:PORT or auto, got {address!r}"
        raise InputError(message)
    try:
        socket.create_connection((host, int(port)), timeout=CONNECTION_SECONDS).close()
    except (OSError, OverflowError) as error:
        message = f"no Ray cluster answers at {address}: {error}"
        raise InputError(message) from error
    if os.environ.get("RAY_USE_TLS") == "1":
        return
    # Ray brings gRPC, and is what asks for it first.
    import grpc

    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=CONNECTION_SECONDS)
        except grpc.FutureTimeoutError as error:
            message = f"no Ray cluster answers at {address}: something else listens there"
            raise InputError(message) from error


def processors_of(ray: ModuleType, resources: Resources, identity: Identity) -> list[Processor]:
    """Return the kinds of processor that seeds may be trained on, each once.

    Raises
    ------
    InputError
        If no machine of the cluster has what a seed takes, or one differs in code or versions.
    """
    found: list[Processor] = []
    for node in ray.nodes():
        has = node["Resources"]
        if not node["Alive"] or has.get("CPU", 0) < resources.threads:
            continue
        if resources.gpus and not has.get("GPU"):
            continue
        place = node["NodeManagerAddress"]
        theirs, kind = _described(ray, node["NodeID"], resources, place=place)
        require_agreement(identity, theirs, place=place)
        if kind not in found:
            found.append(kind)
    if not found:
        needed = f"{resources.threads} cores" + (" and a GPU" if resources.gpus else "")
        message = f"a machine with {needed} for a seed expected in the cluster, got none"
        raise InputError(message)
    return found


def _described(
    ray: ModuleType, node: str, resources: Resources, *, place: str
) -> tuple[Identity, Processor]:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # A core's hundredth, so that it is answered while others train.
    describe = ray.remote(describe_worker).options(
        num_cpus=0.01,
        num_gpus=0.01 if resources.gpus else 0,
        scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
    )
    try:
        return ray.get(describe.remote(resources.device), timeout=ANSWER_SECONDS)
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[-1]
        message = f"worker {place} cannot train: {reason}"
        raise InputError(message) from error
