"""Terms over the global batch: values of all training processes, with their gradients.

A loss that is no sum over cases must see the batches of all processes at once. Each process
computes the term of the whole batch; its gradient is exact after the mean over processes that
data-parallel training takes. Every process must hold equally many cases.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed


def num_processes() -> int:
    """Return how many processes train together: 1 unless `torch.distributed` is set up."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size()
    return 1


class _Gather(torch.autograd.Function):
    """Stack one tensor of each process; a value's gradient is the sum over those who used it."""

    @staticmethod
    def forward(_ctx: Any, values: Tensor) -> Tensor:
        gathered = [torch.empty_like(values) for _ in range(num_processes())]
        distributed.all_gather(gathered, values.contiguous())
        return torch.stack(gathered)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total[distributed.get_rank()]


def gather(values: Tensor) -> Tensor:
    """Return the values of all processes, (processes, *shape), differentiable in each.

    >>> gather(torch.tensor([1.0, 2.0]))
    tensor([[1., 2.]])
    """
    return values[None] if num_processes() == 1 else _Gather.apply(values)


def mean_over_processes(loss: Tensor) -> Tensor:
    """Return the mean of a loss over the processes: the value one process would have computed.

    >>> mean_over_processes(torch.tensor(2.0))
    tensor(2.)
    """
    return loss if num_processes() == 1 else gather(loss).mean()
