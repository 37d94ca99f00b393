"""Dual focal loss: doubt grows with the strongest rival below the true class."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.arguments import non_negative
from pipeline.losses.parts.batch import at_labels, checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.focal import focal_values


class DualFocal(nn.Module):
    r"""Mean of :math:`-(1 - p_y + p_j)^\gamma \log p_y`, at least 0.

    :math:`p_j` is the largest probability strictly below :math:`p_y`, 0 where there is none; the
    gradient flows through it.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    gamma : float
        Exponent, at least 0; 0 is cross-entropy.

    References
    ----------
    Tao, Dong and Xu, ICML 2023, arXiv:2305.13665.
    """

    accepts_soft_labels = False

    def __init__(self, *, num_classes: int, gamma: float = 5.0) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.gamma = non_negative("gamma", gamma)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels (cases,)."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        log_p = functional.log_softmax(logits, dim=1)
        log_p_true = at_labels(log_p, labels)
        below = log_p.masked_fill(log_p >= log_p_true[:, None], -math.inf)
        doubt = below.amax(1).exp() - torch.expm1(log_p_true)
        return focal_values(log_p_true, self.gamma, doubt=doubt)
