"""BSCE-GRA: each case's step of cross-entropy is scaled by how far its prediction is off."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.arguments import non_negative, positive
from pipeline.losses.parts.batch import at_labels, checked_batch, label_probabilities
from pipeline.losses.parts.class_counts import class_count


class BsceGra(nn.Module):
    r"""Mean of :math:`-u_y \log p_y`, at least 0, with u the generalised Brier score.

    .. math:: u_k = \Big(\sum_j \big| p_j - 1[j = k] \big|^\beta\Big)^{\gamma / \beta}

    u is held constant for the gradient, which is :math:`u_y (p_k - 1[y = k])` along a case's logit
    k: unlike the focal loss's it weighs a case the more, the further its prediction is off. Where
    an image has each label with probability q, descent rests where :math:`p_k / u_k \propto q_k`:
    less certain than the truth, in the same order.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    gamma : float
        Exponent, at least 0; 0 is cross-entropy.
    beta : float
        Order of the norm, above 0. With gamma 2 and beta 2, u is the Brier score; with beta 1 it is
        :math:`2^\gamma (1 - p_y)^\gamma`.

    References
    ----------
    Lin, Tao, Dong and Xu, CVPR 2025, arXiv:2503.22725; their code,
    https://github.com/Jinxu-Lin/BSCE-GRA, sums over the batch and leaves gamma and beta to the
    user.
    """

    accepts_soft_labels = False
    holds_weights = True
    """The gradient is not the value's: part of the value is held constant."""

    def __init__(self, *, num_classes: int, gamma: float = 2.0, beta: float = 2.0) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.gamma = non_negative("gamma", gamma)
        self.beta = positive("beta", beta)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels (cases,)."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        log_p = functional.log_softmax(logits, dim=1)
        error = log_p.detach().exp() - label_probabilities(labels, like=log_p)
        weights = error.abs().pow(self.beta).sum(1) ** (self.gamma / self.beta)
        return -weights * at_labels(log_p, labels)
