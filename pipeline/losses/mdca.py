"""MDCA: cross-entropy with the gap between mean prediction and share, class by class."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.arguments import non_negative
from pipeline.losses.parts.batch import checked_batch, label_probabilities, negative_log_likelihood
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.processes import gather, mean_over_processes


class Mdca(nn.Module):
    r"""Cross-entropy plus the batch's multi-class difference of confidence and accuracy.

    .. math:: \mathrm{CE} + \beta \frac1K \sum_k
              \Big| \frac1n \sum_i p_{ik} - \frac1n \sum_i 1[y_i = k] \Big|

    Class probabilities for labels take the place of :math:`1[y_i = k]`. With several processes the
    batch is the global one.

    Parameters
    ----------
    num_classes : int
        Number K of classes.
    beta : float
        Weight of the difference, at least 0; 0 is cross-entropy.

    References
    ----------
    Hebbalaguppe et al., CVPR 2022, arXiv:2203.13834, eq. 3.
    """

    accepts_soft_labels = True

    def __init__(self, *, num_classes: int, beta: float = 1.0) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.beta = non_negative("beta", beta)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a batch of logits (cases, classes) and labels."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=True)
        log_p = functional.log_softmax(logits, dim=1)
        gap = (log_p.exp() - label_probabilities(labels, like=log_p)).mean(0)
        difference = gather(gap).mean(0).abs().mean()
        return mean_over_processes(negative_log_likelihood(log_p, labels) + self.beta * difference)
