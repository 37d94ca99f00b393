"""MbLS: cross-entropy with a penalty on logits too far below the largest."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.arguments import non_negative
from pipeline.losses.parts.batch import at_labels, checked_batch
from pipeline.losses.parts.class_counts import class_count


class Mbls(nn.Module):
    r"""Mean of :math:`-\log p_y + \lambda \sum_k \max(0, \max_j z_j - z_k - \text{margin})`.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    margin : float
        Distance between logits that costs nothing, in nats, at least 0.
    weight : float
        :math:`\lambda`, at least 0; 0 is cross-entropy.

    References
    ----------
    Liu et al., CVPR 2022, arXiv:2111.15430, eq. 8 (margin-based label smoothing).
    """

    accepts_soft_labels = True

    def __init__(self, *, num_classes: int, margin: float = 10.0, weight: float = 0.1) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.margin = non_negative("margin", margin)
        self.weight = non_negative("weight", weight)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=True)
        log_p = functional.log_softmax(logits, dim=1)
        excess = functional.relu(logits.amax(1, keepdim=True) - logits - self.margin)
        return self.weight * excess.sum(1) - at_labels(log_p, labels)
