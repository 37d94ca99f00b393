"""Label smoothing: cross-entropy to labels that keep a little doubt."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.arguments import share
from pipeline.losses.parts.batch import at_labels, checked_batch
from pipeline.losses.parts.class_counts import class_count


class LabelSmoothing(nn.Module):
    r"""Mean cross-entropy to :math:`(1 - \epsilon)\,\mathrm{onehot}(y) + \epsilon / K`, in nats.

    Class probabilities for labels are smoothed in the same way.

    Parameters
    ----------
    num_classes : int
        Number K of classes.
    epsilon : float
        Share of the label spread evenly over all classes, in [0, 1); 0 is cross-entropy.

    References
    ----------
    Szegedy et al., CVPR 2016, arXiv:1512.00567, section 7; Mueller et al., NeurIPS 2019,
    arXiv:1906.02629.
    """

    accepts_soft_labels = True

    def __init__(self, *, num_classes: int, epsilon: float = 0.05) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.epsilon = share("epsilon", epsilon)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=True)
        log_p = functional.log_softmax(logits, dim=1)
        return -(1 - self.epsilon) * at_labels(log_p, labels) - self.epsilon * log_p.mean(1)
