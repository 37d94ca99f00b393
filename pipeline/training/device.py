"""Where training runs, and the switches that make it repeatable there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from pipeline.config import Recipe
from pipeline.errors import InputError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

DEVICES = ("auto", "cpu", "cuda")
FABRIC_PRECISION: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "float32": "32-true",
    "bfloat16": "bf16-mixed",
    "float16": "16-mixed",
}


def start_fabric(recipe: Recipe) -> Fabric:
    """Return Lightning Fabric on the device that the environment names, launched.

    `PIPELINE_DEVICE` is auto (CUDA where there is one), cpu or cuda; `PIPELINE_DEVICES` is the
    number of processes, one a device, that share each batch (DDP).

    On the CPU one process computes with one thread unless `OMP_NUM_THREADS` says otherwise: the
    bits depend on the number, so neither the cores nor what else is trained may choose it.

    Raises
    ------
    InputError
        If either names something else, or CUDA or its float16 is asked for where there is none.
    """
    count = os.environ.get("PIPELINE_DEVICES", "1")
    if not count.isdecimal() or int(count) < 1:
        message = f"PIPELINE_DEVICES must be a number of at least 1, got {count!r}"
        raise InputError(message)
    accelerator = wanted_accelerator()
    if accelerator == "cpu" and recipe.precision == "float16":
        message = "the recipe's precision float16 needs CUDA: use float32 or bfloat16 on the CPU"
        raise InputError(message)
    if accelerator == "cuda":
        # cuBLAS reads this when it starts; without it, its sums differ from run to run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # The driver reads this when it starts: with its 8, the streams of more seeds wait for each
        # other.
        os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "32")
    # Here, since it takes seconds to import and whoever only predicts needs none.
    from lightning_fabric import Fabric

    fabric = Fabric(
        accelerator=accelerator,
        devices=int(count),
        strategy="auto" if count == "1" else "ddp",
        precision=FABRIC_PRECISION[recipe.precision],
    )
    fabric.launch()
    if accelerator == "cpu" and count == "1" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    return fabric


def wanted_accelerator() -> Literal["cpu", "cuda"]:
    """Return what `PIPELINE_DEVICE` comes to on this machine; errors as of `start_fabric`."""
    wanted = os.environ.get("PIPELINE_DEVICE", "auto")
    if wanted not in DEVICES:
        message = f"PIPELINE_DEVICE must be one of {', '.join(DEVICES)}, got {wanted!r}"
        raise InputError(message)
    cuda = torch.cuda.is_available()
    if wanted == "cuda" and not cuda:
        message = "PIPELINE_DEVICE is cuda, but torch finds no CUDA device"
        raise InputError(message)
    return "cuda" if cuda and wanted != "cpu" else "cpu"


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Use deterministic algorithms and a private random state inside; restore both after."""
    enabled = torch.are_deterministic_algorithms_enabled()
    caches_casts = torch.is_autocast_cache_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    settings: Any = torch.utils.deterministic
    fill = settings.fill_uninitialized_memory
    # An operation that has no deterministic form on CUDA is warned of there, not refused.
    torch.use_deterministic_algorithms(mode=True, warn_only=device.type == "cuda")
    if device.type == "cuda":
        # A captured step cannot cast weights once for all steps; an eager one shall equal it.
        torch.set_autocast_cache_enabled(False)
    # Nothing here reads memory before writing it, and filling it first costs time.
    settings.fill_uninitialized_memory = False
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        torch.set_autocast_cache_enabled(caches_casts)
        torch.use_deterministic_algorithms(mode=enabled, warn_only=warn_only)
        settings.fill_uninitialized_memory = fill


def seed_torch(*entropy: int) -> None:
    """Seed torch's global generators from several numbers (dropout draws from them)."""
    torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0]))
