"""Which cases form each batch of an epoch, and how each is changed: drawn ahead on the host.

Every draw of an epoch follows from the seed and the epoch's number alone. So an interrupted run
resumes with the same batches, every loss sees the same batches, and processes that share an epoch
agree on its global batches without talking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.config import Recipe


@dataclass(frozen=True)
class Draw:
    """Some cases and the random change of each.

    Attributes
    ----------
    cases : int64 Tensor, (n,)
        Row numbers of the training images.
    shifts : int64 Tensor, (n, spatial), optional
        Pixels by which each image is moved along each axis, padding coming in.
    flips : bool Tensor, (n,), optional
        Whether the last spatial axis (left and right) is reversed.
    """

    cases: Tensor
    shifts: Tensor | None
    flips: Tensor | None

    def map(self, change: Callable[[Tensor], Tensor]) -> Draw:
        """Return the draw with each of its tensors changed alike."""
        return Draw(
            cases=change(self.cases),
            shifts=None if self.shifts is None else change(self.shifts),
            flips=None if self.flips is None else change(self.flips),
        )

    def tensors(self) -> list[Tensor]:
        """Return those of its tensors that there are."""
        return [part for part in (self.cases, self.shifts, self.flips) if part is not None]

    def take(self, rows: Tensor) -> Draw:
        """Return the draw of some of the cases."""
        return self.map(lambda values: values[rows])


@dataclass(frozen=True)
class Batch:
    """One process's share of a global batch.

    Attributes
    ----------
    draw : Draw
        Its cases.
    partner : Draw, optional
        The cases mixed into them by mixup, from the whole of the global batch.
    share : float or float32 Tensor, ()
        Weight of `draw` against `partner`, in [0, 1].
    """

    draw: Draw
    partner: Draw | None = None
    share: float | Tensor = 1.0

    def __len__(self) -> int:
        return len(self.draw.cases)


@dataclass(frozen=True)
class Share:
    """Which of how many processes this is."""

    rank: int = 0
    world_size: int = 1


def batch_bounds(num_cases: int, recipe: Recipe, *, world_size: int = 1) -> list[tuple[int, int]]:
    """Return first and one-past-last position of each global batch of a shuffled epoch.

    The short last batch is dropped or kept as the recipe says; fewer cases than one batch make one
    batch of all. Each batch is cut to a multiple of the number of processes, so that the mean over
    processes is the mean over the batch.

    >>> recipe = Recipe(epochs=1, batch_size=4, optimiser={"kind": "sgd", "learning_rate": 1})
    >>> batch_bounds(10, recipe), batch_bounds(3, recipe)
    ([(0, 4), (4, 8)], [(0, 3)])
    """
    size = min(recipe.batch_size, num_cases)
    starts = range(0, num_cases, size)
    bounds = [(start, min(start + size, num_cases)) for start in starts]
    if recipe.last_batch == "drop":
        bounds = [(start, end) for start, end in bounds if end - start == size]
    cut = [(start, end - (end - start) % world_size) for start, end in bounds]
    return [(start, end) for start, end in cut if end > start]


def epoch_batches(
    shape: tuple[int, ...], recipe: Recipe, *, seed: int, epoch: int, share: Share
) -> Iterator[Batch]:
    """Yield one process's share of every batch of an epoch.

    Parameters
    ----------
    shape : tuple of int, (cases, *spatial, channels)
        Shape of the training images.
    recipe : Recipe
        Batch size and augmentation.
    seed, epoch : int
        All that the draws depend on.
    share : Share
        The processes take every `world_size`-th case of each global batch.
    """
    generator = np.random.default_rng((seed, epoch))
    order = torch.from_numpy(generator.permutation(shape[0]))
    alpha = recipe.augmentation.mixup_alpha
    for start, end in batch_bounds(shape[0], recipe, world_size=share.world_size):
        whole = _draw(order[start:end], len(shape) - 2, recipe, generator)
        mine = torch.arange(share.rank, end - start, share.world_size)
        if alpha == 0:
            yield Batch(whole.take(mine))
        else:
            partners = torch.from_numpy(generator.permutation(end - start))
            weight = float(generator.beta(alpha, alpha))
            yield Batch(whole.take(mine), whole.take(partners[mine]), weight)


def _draw(cases: Tensor, spatial: int, recipe: Recipe, generator: np.random.Generator) -> Draw:
    padding, flip = recipe.augmentation.crop_padding, recipe.augmentation.flip
    shifts = generator.integers(-padding, padding, size=(len(cases), spatial), endpoint=True)
    flips = generator.random(len(cases)) < 0.5
    return Draw(
        cases=cases,
        shifts=torch.from_numpy(shifts) if padding else None,
        flips=torch.from_numpy(flips) if flip else None,
    )
