"""What each loss costs beside torch's cross-entropy: alone, and in a whole training step.

Run as ``python -m benchmarks losses``. All losses of a step take turns on one network and one
optimiser, so that they differ by nothing but themselves. ldam is timed without its cosine head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.timing import (
    Contender,
    Timing,
    at_most,
    fixed_threads,
    print_table,
    show_seconds,
    time_side_by_side,
)
from pipeline.config import Recipe
from pipeline.losses import LOSSES, make_loss
from pipeline.networks import make_network
from pipeline.training import Method, start_fabric
from pipeline.training.device import repeatable
from pipeline.training.session import start_session
from pipeline.training.trainer import take_step

SIZES = ((128, 10), (128, 100), (64, 200), (1024, 1000))
"""Cases and classes of a batch."""

ROUNDS_ALONE, ROUNDS_OF_STEPS, ROUNDS_OF_VERDICT = 25, 11, 61
SIDE = 28
BASELINE, CONTROL = "torch's cross_entropy", "the same again"
MOST_ALONE, MOST_OF_STEP = 2.0, 1.03
CASES_OF_CLASS = 100
RECIPE = Recipe.model_validate(
    {"epochs": 1, "batch_size": 128, "optimiser": {"kind": "adam", "learning_rate": 1e-3}}
)
NETWORK = {"block_config": [2, 2, 2], "growth_rate": 8, "init_features": 16}

MakeContenders = Callable[[dict[str, nn.Module], int, int], dict[str, Contender]]


def run(
    sizes: Sequence[tuple[int, int]] = SIZES,
    *,
    rounds_alone: int = ROUNDS_ALONE,
    rounds_of_steps: int = ROUNDS_OF_STEPS,
    rounds_of_verdict: int = ROUNDS_OF_VERDICT,
) -> None:
    """Print the tables."""
    print(f"{fixed_threads()} threads; ratios to {BASELINE}, medians of interleaved rounds")
    print_losses("the loss alone, forward and backward", alone, sizes, rounds_alone)
    print_losses("the whole step, thin DenseNet at 28 x 28", steps, sizes, rounds_of_steps)
    print_verdicts(sizes, rounds_of_verdict)


class TorchCrossEntropy(nn.Module):
    """torch's own cross-entropy."""

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the batch."""
        return functional.cross_entropy(logits, labels)


def baselines() -> dict[str, nn.Module]:
    return {BASELINE: TorchCrossEntropy(), CONTROL: TorchCrossEntropy()}


def all_losses(num_classes: int) -> dict[str, nn.Module]:
    counts = [CASES_OF_CLASS] * num_classes
    made = {kind: make_loss(kind, num_classes=num_classes, class_counts=counts) for kind in LOSSES}
    return baselines() | made


def draw_labels(num_cases: int, num_classes: int) -> Tensor:
    return torch.randint(num_classes, (num_cases,), generator=torch.Generator().manual_seed(0))


def alone(losses: dict[str, nn.Module], num_cases: int, num_classes: int) -> dict[str, Contender]:
    """Return a forward and backward pass of each loss over the same logits."""
    generator = torch.Generator().manual_seed(1)
    logits = 3 * torch.randn(num_cases, num_classes, generator=generator)
    logits.requires_grad_()
    labels = draw_labels(num_cases, num_classes)

    def make(loss: nn.Module) -> Contender:
        def both_ways() -> None:
            logits.grad = None
            loss(logits, labels).backward()

        return both_ways

    return {name: make(loss) for name, loss in losses.items()}


def steps(losses: dict[str, nn.Module], num_cases: int, num_classes: int) -> dict[str, Contender]:
    """Return a training step with each loss, of one network on one batch."""
    fabric = start_fabric(RECIPE)
    method = Method(
        "cross_entropy",
        lambda: make_network(
            "densenet",
            spatial_dims=2,
            in_channels=1,
            num_classes=num_classes,
            image_size=(SIDE, SIDE),
            **NETWORK,
        ),
        TorchCrossEntropy,
        RECIPE,
    )
    session = start_session(method, fabric, seed=0)
    session.wrapped.train()
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(num_cases, 1, SIDE, SIDE, generator=generator).to(fabric.device)
    labels = draw_labels(num_cases, num_classes).to(fabric.device)

    def make(loss: nn.Module) -> Contender:
        mine = replace(session, loss=loss.to(fabric.device))

        def step() -> None:
            with repeatable(fabric.device):
                take_step(mine, images, labels, clip_norm=None)

        return step

    return {name: make(loss) for name, loss in losses.items()}


def print_losses(
    title: str, make: MakeContenders, sizes: Sequence[tuple[int, int]], rounds: int
) -> None:
    timings = [
        time_side_by_side(make(all_losses(classes), cases, classes), rounds=rounds)
        for cases, classes in sizes
    ]
    columns = ["loss", *(f"{cases} x {classes}" for cases, classes in sizes)]
    rows = [
        [name, *(f"{show_seconds(each.seconds(name))} {ratio(each, name)}" for each in timings)]
        for name in timings[0].rounds
    ]
    print_table(title, columns, rows)


def ratio(timing: Timing, name: str) -> str:
    return f"{timing.ratio(name, BASELINE):7.3f}"


def print_verdicts(sizes: Sequence[tuple[int, int]], rounds: int) -> None:
    """Judge GCE against its limits, alone with the baseline and the control."""
    rows = []
    for title, make, limit in (("alone", alone, MOST_ALONE), ("step", steps, MOST_OF_STEP)):
        for cases, classes in sizes:
            losses = baselines() | {"gce": make_loss("gce", num_classes=classes)}
            timing = time_side_by_side(make(losses, cases, classes), rounds=rounds)
            verdict = at_most(timing.ratio("gce", BASELINE), limit)
            size = f"{cases} x {classes}"
            rows.append([title, size, ratio(timing, "gce"), ratio(timing, CONTROL), verdict])
    print_table("gce's limits", ["", "size", "gce", "control", "verdict"], rows)


if __name__ == "__main__":
    run()
