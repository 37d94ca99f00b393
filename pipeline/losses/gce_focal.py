"""Focal-weighted GCE: the focal loss with the class-level confidence regulariser."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.losses.parts.batch import at_labels, checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.class_regulariser import DECAY, MARGINAL, WEIGHT, ClassRegulariser
from pipeline.losses.parts.focal import GAMMA, checked_gamma, exponents, focal_values
from pipeline.losses.parts.processes import mean_over_processes


class GceFocal(nn.Module):
    r"""Focal loss plus the regulariser of generative cross-entropy.

    .. math:: -\frac1n \sum_i (1 - p_{i,y_i})^\gamma \log p_{i,y_i} + \lambda \sum_k \pi_k \log m_k

    with :math:`\pi_k` the share of label k and :math:`m_k` the mean of :math:`p_k` in the batch.
    The weights shrink cross-entropy and leave the regulariser whole, so that pushing all mass to a
    rare class pays: training collapses (`generative_focal` does not).

    Parameters
    ----------
    num_classes : int
        Number of classes.
    gamma : float or "flsd53"
        Exponent, at least 0, and 0 is generative cross-entropy; or 5 where p_y < 0.2, else 3.
    weight : float
        :math:`\lambda`, at least 0; 0 is the focal loss.
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
        gamma: float | str = GAMMA,
        weight: float = WEIGHT,
        marginal: str = MARGINAL,
        decay: float = DECAY,
    ) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.gamma = checked_gamma(gamma)
        self.regulariser = ClassRegulariser(
            num_classes=num_classes, weight=weight, marginal=marginal, decay=decay
        )

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a batch of logits (cases, classes) and labels (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        log_p = functional.log_softmax(logits, dim=1)
        log_p_true = at_labels(log_p, labels)
        focal = focal_values(log_p_true, exponents(self.gamma, log_p_true)).mean()
        return mean_over_processes(focal + self.regulariser(log_p, labels))
