"""The focal factor: cases that are already right weigh less."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pipeline.arguments import non_negative

GAMMA = 3.0
FLSD53 = "flsd53"
"""In place of an exponent: `flsd53_gamma`, case by case."""

GAMMA_UNSURE, GAMMA_SURE, UNSURE_BELOW = 5.0, 3.0, 0.2


def focal_values(log_p: Tensor, gamma: float | Tensor, *, doubt: Tensor | None = None) -> Tensor:
    r"""Return :math:`-d^\gamma \log p` for the true class's log-probability, each case.

    The doubt d is :math:`1 - p` unless given. A doubt of exactly 0 counts as the smallest normal
    number and gets no gradient: for an exponent below 1 its slope is infinite, the loss's is not.

    >>> focal_values(torch.tensor([0.5, 1.0]).log(), 3.0) / torch.tensor(2.0).log()
    tensor([0.1250, -0.0000])
    """
    doubt = -torch.expm1(log_p) if doubt is None else doubt
    return -(doubt.clamp_min(torch.finfo(doubt.dtype).tiny) ** gamma) * log_p


def flsd53_gamma(log_p: Tensor) -> Tensor:
    """Return the exponent of each case: 5 where p < 0.2, else 3.

    >>> flsd53_gamma(torch.tensor([0.1, 0.3, 0.9]).log())
    tensor([5., 3., 3.])
    """
    unsure = log_p < math.log(UNSURE_BELOW)
    return torch.where(unsure, GAMMA_UNSURE, GAMMA_SURE).to(log_p.dtype)


def checked_gamma(gamma: float | str) -> float | str:
    """Return an exponent of at least 0, or "flsd53".

    >>> checked_gamma("flsd35")
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: gamma must be a number >= 0, got 'flsd35'
    """
    return FLSD53 if gamma == FLSD53 else non_negative("gamma", gamma)


def exponents(gamma: float | str, log_p: Tensor) -> float | Tensor:
    """Return each case's exponent, (cases,), or the one of all.

    >>> exponents("flsd53", torch.tensor([0.1, 0.9]).log()), exponents(2.0, torch.zeros(2))
    (tensor([5., 3.]), 2.0)
    """
    return flsd53_gamma(log_p) if isinstance(gamma, str) else gamma
