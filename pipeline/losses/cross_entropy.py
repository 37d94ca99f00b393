"""Cross-entropy: the mean negative log-likelihood of the labels."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.losses.parts.batch import NEVER_IGNORED, checked_batch
from pipeline.losses.parts.class_counts import class_count


class CrossEntropy(nn.Module):
    r"""Mean of :math:`-\log p_y`, in nats; at least 0.

    Class probabilities t for labels give :math:`-\sum_k t_k \log p_k`.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    """

    accepts_soft_labels = True

    def __init__(self, *, num_classes: int) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels."""
        return self._cross_entropy(logits, labels, reduction="mean")

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        return self._cross_entropy(logits, labels, reduction="none")

    def _cross_entropy(self, logits: Tensor, labels: Tensor, *, reduction: str) -> Tensor:
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=True)
        return functional.cross_entropy(
            logits, labels, ignore_index=NEVER_IGNORED, reduction=reduction
        )
