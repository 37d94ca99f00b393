"""FLSD-53-weighted GCE: FLSD-53 with the class-level confidence regulariser."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.losses.parts.batch import at_labels, checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.class_regulariser import DECAY, MARGINAL, WEIGHT, ClassRegulariser
from pipeline.losses.parts.focal import flsd53_gamma, focal_values
from pipeline.losses.parts.processes import mean_over_processes


class GceFlsd53(nn.Module):
    r"""FLSD-53 plus the regulariser of generative cross-entropy.

    .. math:: -\frac1n \sum_i (1 - p_{i,y_i})^{\gamma_i} \log p_{i,y_i}
              + \lambda \sum_k \pi_k \log m_k

    gamma is 5 where :math:`p_y < 0.2`, else 3; :math:`\pi_k` is the share of label k and
    :math:`m_k` the mean of :math:`p_k` in the batch.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    weight : float
        :math:`\lambda`, at least 0; 0 is FLSD-53.
    marginal : {"batch", "ema"}
        Where m is taken: over the batch, or as a moving average over the batches.
    decay : float
        The moving average's share of the past, in [0, 1).

    References
    ----------
    Our choice: arXiv:2604.06689 leaves the combination with the focal loss to future work.
    """

    accepts_soft_labels = False

    def __init__(
        self,
        *,
        num_classes: int,
        weight: float = WEIGHT,
        marginal: str = MARGINAL,
        decay: float = DECAY,
    ) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.regulariser = ClassRegulariser(
            num_classes=num_classes, weight=weight, marginal=marginal, decay=decay
        )

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a batch of logits (cases, classes) and labels (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        log_p = functional.log_softmax(logits, dim=1)
        log_p_true = at_labels(log_p, labels)
        focal = focal_values(log_p_true, flsd53_gamma(log_p_true)).mean()
        return mean_over_processes(focal + self.regulariser(log_p, labels))
