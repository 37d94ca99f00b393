"""FLSD-53: focal loss with a larger exponent where the true class is doubted most."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.losses.parts.batch import at_labels, checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.focal import flsd53_gamma, focal_values


class Flsd53(nn.Module):
    r"""Mean of :math:`-(1 - p_y)^\gamma \log p_y`, gamma 5 where :math:`p_y < 0.2`, else 3.

    Parameters
    ----------
    num_classes : int
        Number of classes.

    References
    ----------
    Mukhoti et al., NeurIPS 2020, arXiv:2002.09437, section 5.
    """

    accepts_soft_labels = False

    def __init__(self, *, num_classes: int) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels (cases,)."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        log_p = at_labels(functional.log_softmax(logits, dim=1), labels)
        return focal_values(log_p, flsd53_gamma(log_p))
