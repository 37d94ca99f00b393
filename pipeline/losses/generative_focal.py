"""Focal weights on the generative likelihood as a whole: surer cases count less, none gains."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.losses.parts.batch import at_labels, checked_batch
from pipeline.losses.parts.class_counts import class_count
from pipeline.losses.parts.focal import checked_gamma, exponents
from pipeline.losses.parts.processes import gather, mean_over_processes, num_processes


class GenerativeFocal(nn.Module):
    r"""Generative cross-entropy with each case weighted by the doubt about its label.

    .. math:: \frac1n \sum_i w_i \log \frac{m_{y_i}}{p_{i,y_i}}, \qquad
              w_i \propto (1 - p_{i,y_i})^\gamma, \qquad m_k = \frac1n \sum_j p_{jk}

    w is held constant for the gradient, so a step is one of generative cross-entropy on re-weighted
    cases. Predictions that do not depend on the image are worth 0 whatever they are, so driving all
    to one class gains nothing; it does where the weights shrink cross-entropy and leave the
    regulariser whole (`gce_focal`). With :math:`m_k = \sum_j w_j p_{jk} / \sum_j w_j` and complete
    posteriors q(y|x), descent rests where :math:`p_k / (1 - p_k)^\gamma \propto q_k`: less certain
    than the truth, in the same order. With several processes the batch is the global one.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    gamma : float or "flsd53"
        Exponent, at least 0, and 0 is generative cross-entropy; or 5 where p_y < 0.2, else 3.
    normalised : bool
        Whether the weights of a batch have the mean 1, so that steps keep their size as the cases
        are learned.
    weighted_marginal : bool
        Whether m is the mean of the re-weighted cases; else of the cases as they are.

    References
    ----------
    Our choice: arXiv:2604.06689 leaves the combination with the focal loss to future work.
    """

    accepts_soft_labels = False
    holds_weights = True
    """The gradient is not the value's: part of the value is held constant."""

    def __init__(
        self,
        *,
        num_classes: int,
        gamma: float | str = 1.0,
        normalised: bool = True,
        weighted_marginal: bool = False,
    ) -> None:
        super().__init__()
        self.num_classes = class_count(num_classes)
        self.gamma = checked_gamma(gamma)
        self.normalised = normalised
        self.weighted_marginal = weighted_marginal

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a batch of logits (cases, classes) and labels (cases,)."""
        logits, labels = checked_batch(logits, labels, num_classes=self.num_classes, soft=False)
        log_p = functional.log_softmax(logits, dim=1)
        log_p_true = at_labels(log_p, labels)
        log_weights = self.log_weights(log_p_true.detach())
        log_m = self._log_marginal(log_p, log_weights)
        weights = log_weights.exp()
        return mean_over_processes((weights * (log_m[labels] - log_p_true)).mean())

    def log_weights(self, log_p_true: Tensor) -> Tensor:
        """Return the log of each case's weight, (cases,), from its label's log-probability."""
        doubt = -torch.expm1(log_p_true)
        log_doubt = doubt.clamp_min(torch.finfo(doubt.dtype).tiny).log()
        values = exponents(self.gamma, log_p_true) * log_doubt
        return values - _log_mean(values) if self.normalised else values

    def _log_marginal(self, log_p: Tensor, log_weights: Tensor) -> Tensor:
        if not self.weighted_marginal:
            return _log_mean(log_p)
        return _log_mean(log_p + log_weights[:, None]) - _log_mean(log_weights)


def _log_mean(log_values: Tensor) -> Tensor:
    """Return the log of the mean over the cases of all processes, (...), of values (cases, ...)."""
    log_sum = torch.logsumexp(log_values, dim=0) - math.log(len(log_values))
    if num_processes() == 1:
        return log_sum
    return torch.logsumexp(gather(log_sum), dim=0) - math.log(num_processes())
