"""LDAM with deferred re-weighting: rare classes get wider margins, and later more weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.arguments import positive, share
from pipeline.losses.parts.batch import checked_batch, label_probabilities
from pipeline.losses.parts.class_counts import class_count, training_counts
from pipeline.losses.parts.class_prior import BETA, balanced_weights


class Ldam(nn.Module):
    r"""Mean of :math:`w_y` times the cross-entropy of :math:`s (z - \Delta_y\,\mathrm{onehot}(y))`.

    The margin is :math:`\Delta_k = C / n_k^{1/4}`, with C such that the largest is ``max_margin``.
    The weights are 1 until a share ``deferred_until`` of the epochs is done, then class-balanced
    with mean 1. The paper's logits z are cosines, from a last layer with normalised weights and
    features; s turns them into log-probabilities, so predictions are softmax of ``logit_scale`` z.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    class_counts : sequence of int, (classes,)
        Training cases :math:`n_k` of each class, all at least 1.
    max_margin : float
        Margin of the rarest class, in units of the logits, above 0.
    scale : float
        s, above 0.
    deferred_until : float
        Share of the epochs trained with even weights, in [0, 1).
    beta : float
        The later weights', as in the class-balanced loss; 0 keeps them even.

    References
    ----------
    Cao et al., NeurIPS 2019, arXiv:1906.07413, eq. 13 and algorithm 1.
    """

    accepts_soft_labels = False
    margins: Tensor
    weights: Tensor
    later_weights: Tensor

    def __init__(
        self,
        *,
        num_classes: int,
        class_counts: Sequence[int] | Tensor | None = None,
        max_margin: float = 0.5,
        scale: float = 30.0,
        deferred_until: float = 0.8,
        beta: float = BETA,
    ) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.logit_scale = positive("scale", scale)
        self.deferred_until = share("deferred_until", deferred_until)
        counts = training_counts(
            class_counts, num_classes=num_classes, because="its margin is infinite without"
        )
        margins = positive("max_margin", max_margin) * (counts.min() / counts) ** 0.25
        later_weights = balanced_weights(class_counts, num_classes=num_classes, beta=beta)
        self.register_buffer("margins", margins.float(), persistent=False)
        self.register_buffer("later_weights", later_weights.float(), persistent=False)
        self.register_buffer("weights", torch.ones(num_classes))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean over the cases of logits (cases, classes) and labels (cases,)."""
        return self.per_case(logits, labels).mean()

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return each case's value, (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        margins = label_probabilities(labels, like=logits) * self.margins.to(logits.dtype)
        scaled = self.logit_scale * (logits - margins)
        weights = self.weights.to(logits.dtype)[labels]
        return weights * functional.cross_entropy(scaled, labels, reduction="none")

    def end_epoch(
        self,
        progress: float,
        validation: Callable[[], tuple[Tensor, Tensor]],  # noqa: ARG002 - the protocol's
    ) -> None:
        """Weight the classes once the share ``progress`` of the epochs has reached the switch."""
        if progress >= self.deferred_until:
            self.weights.copy_(self.later_weights)
