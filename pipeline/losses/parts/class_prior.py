"""What the number of training cases says about a class: its prior and its weight."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.arguments import share
from pipeline.losses.parts.class_counts import training_counts

TAU = 1.0
BETA = 0.9999


def log_class_prior(class_counts: Sequence[int] | Tensor | None, *, num_classes: int) -> Tensor:
    """Return the log of each class's share of the training cases, float64, (classes,).

    >>> log_class_prior([3, 1], num_classes=2).exp()
    tensor([0.7500, 0.2500], dtype=torch.float64)
    """
    counts = training_counts(
        class_counts, num_classes=num_classes, because="the loss adds the log of its share"
    )
    return (counts / counts.sum()).log()


def balanced_weights(
    class_counts: Sequence[int] | Tensor | None, *, num_classes: int, beta: float
) -> Tensor:
    r"""Return the classes' weights of Cui et al. 2019, float64, (classes,), with mean 1.

    .. math:: w_k \propto \frac{1 - \beta}{1 - \beta^{n_k}}

    >>> balanced_weights([1, 2], num_classes=2, beta=0.5) * (1 + 1 / 1.5) / 2
    tensor([1.0000, 0.6667], dtype=torch.float64)
    """
    counts = training_counts(
        class_counts, num_classes=num_classes, because="the loss divides by 1 - beta ** its cases"
    )
    # expm1 of counts * log(beta) keeps the digits that 1 - beta ** counts loses near beta = 1.
    log_beta = torch.tensor(share("beta", beta), dtype=counts.dtype).log()
    weights = torch.expm1(log_beta) / torch.expm1(counts * log_beta)
    return weights / weights.mean()
