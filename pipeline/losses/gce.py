"""Generative Cross-Entropy: the likelihood of an image given its class."""

from __future__ import annotations

from torch import Tensor, nn

from pipeline.losses.parts.batch import checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.class_regulariser import DECAY, MARGINAL, WEIGHT, ClassRegulariser
from pipeline.losses.parts.processes import mean_over_processes


class Gce(nn.Module):
    r"""Cross-entropy plus the class-level confidence regulariser.

    .. math:: \mathrm{GCE} = -\frac1n \sum_i \log \frac{p_{i,y_i}}{m_{y_i}}
              = \mathrm{CE} + \lambda \sum_k \pi_k \log m_k, \qquad m_k = \frac1n \sum_j p_{jk}

    (:math:`\lambda = 1` in the first form), with :math:`\pi_k` the share of label k in the batch:
    each case's probability is measured against what its class gets on the whole batch, an estimate
    of :math:`\log p(x|y) - \log p(x)`. So the value depends on the batch, may be negative, and with
    :math:`\lambda = 1` is at least the negative entropy of pi, hence of -log K. With several
    processes the batch is the global one. Class probabilities for labels give their expectation.

    Parameters
    ----------
    num_classes : int
        Number K of classes.
    weight : float
        :math:`\lambda`, at least 0; 0 is cross-entropy.
    marginal : {"batch", "ema"}
        Where m is taken: over the batch, or as a moving average over the batches.
    decay : float
        The moving average's share of the past, in [0, 1).

    References
    ----------
    Zhan, Zhou and Shen, arXiv:2604.06689. The weight and the moving average are ours.
    """

    accepts_soft_labels = True

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
        """Return the loss of a batch of logits (cases, classes) and labels."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=True)
        return mean_over_processes(self.regulariser.plus_cross_entropy(logits, labels))
