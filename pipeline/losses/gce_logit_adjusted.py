"""GCE on logit-adjusted logits, for long-tailed training splits."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from pipeline.arguments import non_negative
from pipeline.losses.parts.batch import checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.class_prior import TAU, log_class_prior
from pipeline.losses.parts.class_regulariser import DECAY, MARGINAL, WEIGHT, ClassRegulariser
from pipeline.losses.parts.processes import mean_over_processes


class GceLogitAdjusted(nn.Module):
    r"""Generative cross-entropy of :math:`z + \tau \log \pi`, pi the shares of training cases.

    Both its terms, the likelihood of the labels and the mean prediction m, are taken from the
    adjusted logits; the plain logits z answer for a test split with even classes.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    class_counts : sequence of int, (classes,)
        Training cases of each class, all at least 1.
    tau : float
        Strength of the adjustment, at least 0; 0 is generative cross-entropy.
    weight : float
        :math:`\lambda`, at least 0; 0 is the logit-adjusted loss.
    marginal : {"batch", "ema"}
        Where m is taken: over the batch, or as a moving average over the batches.
    decay : float
        The moving average's share of the past, in [0, 1).

    References
    ----------
    Our choice, from arXiv:2604.06689 and Menon et al., ICLR 2021, arXiv:2007.07314, eq. 10.
    """

    accepts_soft_labels = True
    offset: Tensor

    def __init__(
        self,
        *,
        num_classes: int,
        class_counts: Sequence[int] | Tensor | None = None,
        tau: float = TAU,
        weight: float = WEIGHT,
        marginal: str = MARGINAL,
        decay: float = DECAY,
    ) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        log_prior = log_class_prior(class_counts, num_classes=num_classes)
        offset = (non_negative("tau", tau) * log_prior).float()
        self.register_buffer("offset", offset, persistent=False)
        self.regulariser = ClassRegulariser(
            num_classes=num_classes, weight=weight, marginal=marginal, decay=decay
        )

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a batch of logits (cases, classes) and labels."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=True)
        logits = logits + self.offset.to(logits.dtype)
        return mean_over_processes(self.regulariser.plus_cross_entropy(logits, labels))
