"""How fast training is, beside a bare loop and MONAI's trainer; and what GCE costs a step.

Run as ``python -m benchmarks training [--device cuda]``. Every contender sees the same images,
network, optimiser and batch size; rounds are interleaved, so that whatever else the machine does
falls on all alike, and medians are shown. On CUDA the limit is a bare step captured as a CUDA
graph, which reads batches without augmentation from images that were normalised beforehand.
"""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial

import torch
from lightning_fabric import Fabric

from benchmarks.timing import at_least, print_table
from benchmarks.training_contenders import (
    BATCH,
    STEPS_A_ROUND,
    Case,
    Epoch,
    augmented_epoch,
    bare_epoch,
    captured_epoch,
    draw_data,
    interleave,
    make_recipe,
    monai_epoch,
    our_epoch,
    step_rounds,
    together_epoch,
)
from pipeline.training import TrainingData, start_fabric

DENSENET = {"block_config": [2, 2, 2], "growth_rate": 8, "init_features": 16}
RESNET10 = {"widths": [8, 16, 32, 64], "stem": "small"}
RESNET18 = {"stem": "small"}
CASES = {
    "cpu": (
        Case("thin_densenet", "densenet", DENSENET, side=28, channels=1),
        Case("thin_resnet10", "resnet10", RESNET10, side=28, channels=1),
    ),
    "cuda": tuple(
        Case(name, kind, arguments, side=side, channels=channels, precision=precision)
        for name, kind, arguments, side, channels in (
            ("thin_densenet", "densenet", DENSENET, 28, 1),
            ("resnet18", "resnet18", RESNET18, 32, 3),
        )
        for precision in ("float32", "bfloat16")
    ),
}
NUM_IMAGES = {"cpu": 5000, "cuda": 10_000}
REPEATS = {"cpu": 9, "cuda": 3}
SEEDS_TOGETHER = 10
LEAST_OF_CAPTURED, LEAST_OF_MONAI = 0.9, 7.0
LEAST_OF_EAGER = {"thin_densenet": 8.0, "resnet18": 2.5}
SEEDS_LIMIT = 3.3
"""Ten seeds of a thin network in the time of three: so many times one seed's images a second."""

EAGER, OURS, CAPTURED = "bare eager loop", "this project", "bare step, captured"
AUGMENTED, MONAI = "this project, augmented", "MONAI SupervisedTrainer, CacheDataset"
TOGETHER = f"this project, {SEEDS_TOGETHER} seeds together"


def epoch_rates(case: Case, data: TrainingData, fabric: Fabric, repeats: int) -> dict[str, float]:
    """Return the images a second of each contender."""
    cuda = fabric.device.type == "cuda"
    makers: dict[str, Callable[[], Epoch]] = {
        EAGER: partial(bare_epoch, case, data),
        OURS: partial(our_epoch, case, data, fabric),
        AUGMENTED: partial(augmented_epoch, case, data, fabric),
    }
    if cuda:
        makers[CAPTURED] = partial(captured_epoch, case, data)
    if cuda and case.name.startswith("thin"):
        makers[TOGETHER] = partial(together_epoch, case, data, fabric, SEEDS_TOGETHER)
    if case.precision == "float32":
        makers[MONAI] = partial(monai_epoch, case, data)
    seconds = interleave(ready(makers), repeats, fabric.device)
    trained = len(data.train) // BATCH * BATCH
    seeds = {TOGETHER: SEEDS_TOGETHER}
    return {name: seeds.get(name, 1) * trained / each for name, each in seconds.items()}


def ready(makers: dict[str, Callable[[], Epoch]]) -> dict[str, Epoch]:
    """Return the contenders that can be made and run once; say why the others cannot."""
    made = {}
    for name, make in makers.items():
        try:
            contender = make()
            contender()
        except (RuntimeError, ImportError) as error:
            # On a machine lent for minutes, one contender must not cost the others' figures.
            print(f"{name}: left out: {type(error).__name__}: {error}", flush=True)
        else:
            made[name] = contender
    return made


def print_rates(case: Case, rates: dict[str, float]) -> None:
    """Print a case's table, each contender beside the bare eager loop."""
    eager = rates.get(EAGER, math.nan)
    rows = [
        [name, f"{rate:,.0f}", f"{rate / eager:.2f}"]
        for name, rate in sorted(rates.items(), key=lambda each: -each[1])
    ]
    print_table(case.title, ["", "images/s", "of bare eager"], rows)


def print_verdicts(rates: dict[Case, dict[str, float]]) -> None:
    """Judge this project on CUDA against the captured bare step, the eager loop and MONAI."""
    rows = []
    for case, found in rates.items():
        ours = found.get(OURS, math.nan)
        pairs = [
            (ours, found.get(CAPTURED), LEAST_OF_CAPTURED),
            (ours, found.get(EAGER), LEAST_OF_EAGER[case.name]),
            (ours, found.get(MONAI), LEAST_OF_MONAI),
            (found.get(TOGETHER), ours, SEEDS_LIMIT),
        ]
        ratios = [(one / other if one and other else None, limit) for one, other, limit in pairs]
        stated = ["-" if ratio is None else f"{ratio:.2f}" for ratio, _ in ratios[:2]]
        judged = ["-" if ratio is None else at_least(ratio, limit) for ratio, limit in ratios]
        rows.append([case.title, *stated, *judged])
    columns = ["this project", "of captured", "of eager", "captured", "eager", "MONAI", "seeds"]
    print_table("limits on CUDA", columns, rows)


def print_steps(case: Case, data: TrainingData, fabric: Fabric, repeats: int) -> None:
    """Print what a step with GCE takes beside one with cross-entropy."""
    seconds = interleave(step_rounds(case, data, fabric), repeats, fabric.device)
    rows = [
        [loss, f"{1000 * each / STEPS_A_ROUND:.2f} ms", f"{each / seconds['cross_entropy']:.3f}"]
        for loss, each in seconds.items()
    ]
    print_table(f"{case.title}: a step", ["loss", "", "of cross-entropy"], rows)


def main(num_images: int | None = None, repeats: int | None = None) -> None:
    """Print all tables for the device that `PIPELINE_DEVICE` names."""
    # MONAI and ignite warn of their own calls.
    warnings.filterwarnings("ignore")
    device = start_fabric(make_recipe()).device
    number, times = num_images or NUM_IMAGES[device.type], repeats or REPEATS[device.type]
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(
        f"{where}, torch {torch.__version__}, {torch.get_num_threads()} threads: {number} images, "
        f"batch {BATCH}, median of {times}",
        flush=True,
    )
    rates = {}
    for case in CASES[device.type]:
        fabric, data = start_fabric(make_recipe(case.precision)), draw_data(case, number, device)
        rates[case] = epoch_rates(case, data, fabric, times)
        print_rates(case, rates[case])
        print_steps(case, data, fabric, times)
    if device.type == "cuda":
        print_verdicts(rates)


if __name__ == "__main__":
    os.environ.setdefault("PIPELINE_DEVICE", "cpu")
    main(*(int(argument) for argument in sys.argv[1:]))
