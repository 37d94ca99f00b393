"""Focal loss: cross-entropy that turns away from cases already right."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.arguments import non_negative
from pipeline.losses.parts.batch import at_labels, checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.focal import GAMMA, focal_values


class Focal(nn.Module):
    r"""Mean of :math:`-(1 - p_y)^\gamma \log p_y`, at least 0.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    gamma : float
        Exponent, at least 0; 0 is cross-entropy.

    References
    ----------
    Lin et al., ICCV 2017, arXiv:1708.02002, eq. 4; gamma 3 for calibration: Mukhoti et al.,
    NeurIPS 2020, arXiv:2002.09437.
    """

    accepts_soft_labels = False

    def __init__(self, *, num_classes: int, gamma: float = GAMMA) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.gamma = non_negative("gamma", gamma)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels (cases,)."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        log_p = at_labels(functional.log_softmax(logits, dim=1), labels)
        return focal_values(log_p, self.gamma)
