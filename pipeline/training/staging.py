"""An epoch's batches of one size on the device, from where each step takes the next."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.training.batches import Batch, Draw


class StagedBatches:
    """Batches of one size and their learning rates, copied to the device at once.

    `next` reads nothing from the host: a step that was captured finds its batch by a position that
    the step before has moved.

    Parameters
    ----------
    batches : sequence of Batch
        All of one size.
    learning_rates : sequence of float, (batches,)
        One for each.
    device : device
        Where the steps run.
    """

    def __init__(
        self, batches: Sequence[Batch], learning_rates: Sequence[float], *, device: torch.device
    ) -> None:
        self._draws = _stack([batch.draw for batch in batches]).map(lambda part: part.to(device))
        partners = [batch.partner for batch in batches if batch.partner is not None]
        self._partners = _stack(partners).map(lambda part: part.to(device)) if partners else None
        shares = [float(batch.share) for batch in batches]
        self._shares = torch.tensor(shares, dtype=torch.float32, device=device)
        self._rates = torch.tensor(learning_rates, dtype=torch.float64, device=device)
        self._position = torch.zeros(1, dtype=torch.int64, device=device)

    def __len__(self) -> int:
        return len(self._rates)

    @property
    def batch_size(self) -> int:
        """Cases of each batch."""
        return self._draws.cases.shape[1]

    def load(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> None:
        """Replace the batches by those of another epoch, in place; the first one is next."""
        fresh = StagedBatches(batches, learning_rates, device=self._rates.device)
        for mine, theirs in zip(self._tensors(), fresh._tensors(), strict=True):
            mine.copy_(theirs)

    def next(self) -> tuple[Batch, Tensor]:
        """Return the next batch and its learning rate, (); after the last comes the first."""
        draw, share, rate = self._draws.map(self._at), self._at(self._shares), self._at(self._rates)
        partner = None if self._partners is None else self._partners.map(self._at)
        self._position.add_(1).remainder_(len(self))
        return Batch(draw, partner, share), rate

    def _at(self, values: Tensor) -> Tensor:
        return values.index_select(0, self._position).squeeze(0)

    def _tensors(self) -> list[Tensor]:
        partners = [] if self._partners is None else self._partners.tensors()
        return [*self._draws.tensors(), *partners, self._shares, self._rates, self._position]


def _stack(draws: Sequence[Draw]) -> Draw:
    def stacked(parts: Sequence[Tensor | None]) -> Tensor | None:
        present = [part for part in parts if part is not None]
        return torch.stack(present) if present else None

    return Draw(
        cases=torch.stack([draw.cases for draw in draws]),
        shifts=stacked([draw.shifts for draw in draws]),
        flips=stacked([draw.flips for draw in draws]),
    )
