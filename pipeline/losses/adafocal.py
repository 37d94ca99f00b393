"""AdaFocal: focal loss whose exponents follow the calibration of the validation split."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.arguments import positive, whole_number
from pipeline.losses.parts.batch import at_labels, checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.focal import focal_values

GAMMA_START = 1.0
GAMMA_RANGE = (-2.0, 20.0)
GAMMA_SWITCH = 0.2


class AdaFocal(nn.Module):
    r"""Mean of :math:`-(1 - p_y)^\gamma \log p_y` with the gamma of the bin that p_y falls in.

    Where gamma is negative it is the inverse focal loss, :math:`-(1 + p_y)^{|\gamma|} \log p_y`.
    After every epoch the validation cases are sorted by confidence into equal-mass bins, and bin b
    takes :math:`\gamma_b \leftarrow \gamma_b \exp(\pm\lambda (C_b - A_b))`, the sign that of
    :math:`\gamma_b`: an over-confident bin (mean confidence C above accuracy A) is pushed towards
    the focal loss, an under-confident one towards the inverse focal loss. An exponent that comes
    within 0.2 of zero switches to 0.2 of the other sign; all stay in [-2, 20] and start at 1.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    num_bins : int
        Number of validation bins. A bin without a case keeps its exponent.
    rate : float
        :math:`\lambda`, above 0.

    References
    ----------
    Ghosh, Schaaf and Gormley, NeurIPS 2022, arXiv:2211.11838, algorithm 1.
    """

    accepts_soft_labels = False
    gammas: Tensor
    boundaries: Tensor

    def __init__(self, *, num_classes: int, num_bins: int = 15, rate: float = 1.0) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.rate = positive("rate", rate)
        num_bins = whole_number("num_bins", num_bins, lowest=1)
        self.register_buffer("gammas", torch.full((num_bins,), GAMMA_START))
        self.register_buffer("boundaries", torch.arange(1, num_bins) / num_bins)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels (cases,)."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        log_p = at_labels(functional.log_softmax(logits, dim=1), labels)
        bins = torch.bucketize(log_p.detach().exp(), self.boundaries.to(log_p.dtype), right=True)
        gamma = self.gammas.to(log_p.dtype)[bins]
        doubt = torch.where(gamma > 0, -torch.expm1(log_p), 1 + log_p.exp())
        return focal_values(log_p, gamma.abs(), doubt=doubt)

    @torch.no_grad()
    def end_epoch(
        self,
        progress: float,  # noqa: ARG002 - the protocol's
        validation: Callable[[], tuple[Tensor, Tensor]],
    ) -> None:
        """Move the bins and their exponents to the validation split's present calibration."""
        logits, labels = validation()
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        confidence, predicted = functional.softmax(logits.to(self.gammas), dim=1).max(1)
        confidence, order = confidence.sort()
        gap = confidence - (predicted == labels.to(predicted.device))[order].to(confidence)
        num_bins = len(self.gammas)
        for index, inside in enumerate(gap.tensor_split(num_bins)):
            if len(inside):
                self.gammas[index] = self._moved(self.gammas[index], inside.mean())
        self.boundaries.copy_(
            torch.tensor(
                [
                    inside[0].item() if len(inside) else math.inf
                    for inside in confidence.tensor_split(num_bins)[1:]
                ]
            )
        )

    def _moved(self, gamma: Tensor, gap: Tensor) -> Tensor:
        sign = gamma.sign()
        moved = gamma * torch.exp(sign * self.rate * gap)
        if moved.abs() < GAMMA_SWITCH:
            moved = -sign * GAMMA_SWITCH
        return moved.clamp(*GAMMA_RANGE)
