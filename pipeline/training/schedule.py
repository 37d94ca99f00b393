"""The optimiser of a recipe and its learning rate over the epochs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pipeline.config import Recipe
from pipeline.config.method import Schedule


def make_optimiser(parameters: Iterable[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Return stochastic gradient descent, Adam or AdamW over all parameters."""
    config = recipe.optimiser
    # A fused step unscales gradients inside, where float16's scaler must do so before clipping.
    fused = recipe.precision != "float16"
    if config.kind == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=config.learning_rate,
            momentum=config.momentum,
            nesterov=config.nesterov,
            weight_decay=config.weight_decay,
            fused=fused,
        )
    kind = torch.optim.Adam if config.kind == "adam" else torch.optim.AdamW
    return kind(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused)


def learning_rate_factor(schedule: Schedule, *, epoch: float, epochs: int) -> float:
    r"""Return what the base learning rate is multiplied with at a moment of training.

    Warm-up rises linearly to 1; then the factor stays, is multiplied by `factor` at each
    milestone, or follows :math:`(1 + \cos \pi t) / 2` from the end of the warm-up to the end.

    Parameters
    ----------
    schedule : Schedule
        Kind, milestones and warm-up in epochs.
    epoch : float
        Epochs done, in [0, epochs): the middle of a step.
    epochs : int
        Epochs in all.

    Examples
    --------
    >>> schedule = Schedule(kind="step", milestones=[50, 75], factor=0.1)
    >>> [round(learning_rate_factor(schedule, epoch=e, epochs=100), 6) for e in (49.9, 50, 75)]
    [1.0, 0.1, 0.01]
    """
    if epoch < schedule.warmup_epochs:
        return epoch / schedule.warmup_epochs
    if schedule.kind == "step":
        return float(schedule.factor ** sum(epoch >= each for each in schedule.milestones))
    if schedule.kind == "cosine":
        done = (epoch - schedule.warmup_epochs) / (epochs - schedule.warmup_epochs)
        return (1 + math.cos(math.pi * done)) / 2
    return 1.0


def set_learning_rate(optimiser: torch.optim.Optimizer, learning_rate: Tensor) -> None:
    """Set every parameter group's learning rate, in place where a tensor holds it.

    Parameters
    ----------
    optimiser : Optimizer
        Its groups hold a number, or after `hold_rate_in_tensor` a tensor.
    learning_rate : float64 Tensor, ()
        On the tensor's device.
    """
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].copy_(learning_rate)
        else:
            group["lr"] = float(learning_rate)


def hold_rate_in_tensor(optimiser: torch.optim.Optimizer, device: torch.device) -> None:
    """Let a fused step read the learning rate from the device, where a captured one looks for it.

    A step that is not fused would wait for the device to learn it: there it stays a number.
    """
    for group in optimiser.param_groups:
        if group["fused"]:
            group["lr"] = torch.tensor(float(group["lr"]), dtype=torch.float32, device=device)


@contextmanager
def capturable(optimiser: torch.optim.Optimizer) -> Iterator[None]:
    """Let Adam be captured inside; nothing else changes, since its fused step counts on the device.

    Outside, torch would warn of a capturable optimiser that is not captured.
    """
    groups = [group for group in optimiser.param_groups if "capturable" in group]
    for group in groups:
        group["capturable"] = True
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")
            yield
    finally:
        for group in groups:
            group["capturable"] = False
