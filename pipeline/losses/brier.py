"""Brier score: the squared distance from the probabilities to the label."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.losses.parts.batch import checked_batch, label_probabilities
from pipeline.losses.parts.class_counts import class_count


class Brier(nn.Module):
    r"""Mean of :math:`\sum_k (p_k - 1[y = k])^2`, in [0, 2].

    Class probabilities t for labels give :math:`\sum_k (p_k - t_k)^2`.

    Parameters
    ----------
    num_classes : int
        Number of classes.

    References
    ----------
    Brier, Monthly Weather Review 78, 1950.
    """

    accepts_soft_labels = True

    def __init__(self, *, num_classes: int) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=True)
        distance = functional.softmax(logits, dim=1) - label_probabilities(labels, like=logits)
        return distance.square().sum(1)
