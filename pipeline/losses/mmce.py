"""MMCE: cross-entropy with a kernel measure of the batch's miscalibration."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.arguments import non_negative, positive
from pipeline.losses.parts.batch import checked_batch, negative_log_likelihood
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.processes import gather, mean_over_processes

# Below it the squared measure is rounding, and the slope of its root would amplify that.
SQUARE_FLOOR = 1e-10


class Mmce(nn.Module):
    r"""Cross-entropy plus a weighted maximum mean calibration error, taken over the batch.

    .. math:: \mathrm{CE} + \lambda \sqrt{v^\top K v}, \qquad
              K_{ij} = \exp(-|r_i - r_j| / \text{width})

    with r the confidence; :math:`v_i = (1 - r_i) / n_1` for the :math:`n_1` cases predicted right
    and :math:`v_i = -r_i / n_0` for the :math:`n_0` predicted wrong (the weighted form). With
    several processes the batch is the global one.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    weight : float
        :math:`\lambda`, at least 0; 0 is cross-entropy.
    kernel_width : float
        Width of the Laplacian kernel in units of confidence, above 0.

    References
    ----------
    Kumar, Sarawagi and Jain, ICML 2018, "Trainable calibration measures for neural networks from
    kernel mean embeddings".
    """

    accepts_soft_labels = False

    def __init__(self, *, num_classes: int, weight: float = 2.0, kernel_width: float = 0.4) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.weight = non_negative("weight", weight)
        self.kernel_width = positive("kernel_width", kernel_width)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a batch of logits (cases, classes) and labels (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        log_p = functional.log_softmax(logits, dim=1)
        log_confidence, predicted = log_p.max(1)
        correct = (predicted == labels).to(log_p.dtype)
        confidence, correct = gather(torch.stack([log_confidence.exp(), correct])).unbind(1)
        error = self._calibration_error(confidence.flatten(), correct.flatten())
        return mean_over_processes(negative_log_likelihood(log_p, labels) + self.weight * error)

    def _calibration_error(self, confidence: Tensor, correct: Tensor) -> Tensor:
        num_right, num_wrong = correct.sum(), (1 - correct).sum()
        pull = correct * (1 - confidence) / num_right.clamp_min(1)
        pull = pull - (1 - correct) * confidence / num_wrong.clamp_min(1)
        distance = (confidence[:, None] - confidence).abs()
        square = (pull[:, None] * pull * torch.exp(-distance / self.kernel_width)).sum()
        return square.clamp_min(SQUARE_FLOOR).sqrt()
