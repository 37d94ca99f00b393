"""Class-balanced loss: cross-entropy weighted by each class's effective number of cases."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from pipeline.losses.parts.batch import at_labels, checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.class_prior import BETA, balanced_weights


class ClassBalanced(nn.Module):
    r"""Mean of :math:`-w_y \log p_y` with :math:`w_k \propto (1 - \beta) / (1 - \beta^{n_k})`.

    The weights have mean 1 over the classes. The mean is over the cases: it is not divided by the
    batch's weights. Class probabilities t for labels give :math:`-\sum_k t_k w_k \log p_k`.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    class_counts : sequence of int, (classes,)
        Training cases :math:`n_k` of each class, all at least 1.
    beta : float
        In [0, 1); 0 is cross-entropy, towards 1 the weights become inverse frequencies.

    References
    ----------
    Cui et al., CVPR 2019, arXiv:1901.05555, eq. 6.
    """

    accepts_soft_labels = True
    weights: Tensor

    def __init__(
        self,
        *,
        num_classes: int,
        class_counts: Sequence[int] | Tensor | None = None,
        beta: float = BETA,
    ) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        weights = balanced_weights(class_counts, num_classes=num_classes, beta=beta)
        self.register_buffer("weights", weights.float(), persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=True)
        log_p = functional.log_softmax(logits, dim=1)
        return -at_labels(log_p * self.weights.to(log_p.dtype), labels)
