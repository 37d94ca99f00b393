"""Logit adjustment: cross-entropy that takes the training prior for granted."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from pipeline.arguments import non_negative
from pipeline.losses.parts.batch import NEVER_IGNORED, checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.class_prior import TAU, log_class_prior


class LogitAdjusted(nn.Module):
    r"""Mean cross-entropy of :math:`z + \tau \log \pi`, pi the classes' shares of training cases.

    The network then learns what its images say beside the prior: the plain logits z answer for a
    test split with even classes. With :math:`\tau = 1` it is the balanced softmax.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    class_counts : sequence of int, (classes,)
        Training cases of each class, all at least 1.
    tau : float
        Strength, at least 0; 0 is cross-entropy.

    References
    ----------
    Menon et al., ICLR 2021, arXiv:2007.07314, eq. 10; Ren et al., NeurIPS 2020, arXiv:2007.10740.
    """

    accepts_soft_labels = True
    offset: Tensor

    def __init__(
        self,
        *,
        num_classes: int,
        class_counts: Sequence[int] | Tensor | None = None,
        tau: float = TAU,
    ) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        log_prior = log_class_prior(class_counts, num_classes=num_classes)
        offset = (non_negative("tau", tau) * log_prior).float()
        self.register_buffer("offset", offset, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=True)
        adjusted = logits + self.offset.to(logits.dtype)
        return functional.cross_entropy(
            adjusted, labels, ignore_index=NEVER_IGNORED, reduction="none"
        )
