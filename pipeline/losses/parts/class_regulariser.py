"""The class-level confidence regulariser, the term that makes cross-entropy generative."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pipeline.arguments import non_negative, one_of, share
from pipeline.losses.parts.batch import negative_log_likelihood
from pipeline.losses.parts.fused import LARGE, fused_generative_cross_entropy
from pipeline.losses.parts.processes import gather, num_processes

WEIGHT = 1.0
MARGINAL = "batch"
MARGINALS = ("batch", "ema")
DECAY = 0.9


class ClassRegulariser(nn.Module):
    r"""Weighted mean log of the predicted share of each case's class.

    .. math:: R = \lambda \sum_k \pi_k \log m_k = \frac\lambda n \sum_i \log m_{y_i},
              \qquad m_k = \frac1n \sum_j p_{jk}

    :math:`\pi_k` is the share of label k in the batch. The sum over the batch is a log-sum-exp of
    log-probabilities, so R is finite however certain the predictions are, and only the classes
    present in the batch enter. With several processes the batch is the global one.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    weight : float
        :math:`\lambda`, at least 0.
    marginal : {"batch", "ema"}
        Where m is taken: over the batch, or as a moving average over the batches, whose gradient
        flows through the current batch's share only (our choice, for batches smaller than the
        number of classes). The average has no start-up bias: after one batch it is that batch's m.
    decay : float
        The moving average's share of the past, in [0, 1).

    References
    ----------
    Zhan, Zhou and Shen, arXiv:2604.06689; the moving average is ours.
    """

    log_average: Tensor
    num_batches: Tensor
    log_decay: Tensor

    def __init__(self, *, num_classes: int, weight: float, marginal: str, decay: float) -> None:
        super().__init__()
        self.weight = non_negative("weight", weight)
        self.moving = one_of("marginal", marginal, MARGINALS) == "ema"
        decay = share("decay", decay)
        if self.moving:
            self.register_buffer("log_decay", torch.tensor(decay).log(), persistent=False)
            self.register_buffer("log_average", torch.zeros(num_classes))
            self.register_buffer("num_batches", torch.zeros(()))

    def forward(self, log_p: Tensor, labels: Tensor) -> Tensor:
        """Return the regulariser, a scalar, of log-probabilities (cases, classes) and labels."""
        if self._is_plain():
            cross_entropy = negative_log_likelihood(log_p, labels)
            return self.weight * (_generative_cross_entropy(log_p, labels) - cross_entropy)
        log_marginal = self._log_marginal(log_p).expand_as(log_p)
        return -self.weight * negative_log_likelihood(log_marginal, labels)

    def plus_cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return cross-entropy plus the regulariser of logits, in fewer kernels than apart."""
        plain = self._is_plain()
        if plain and logits.numel() >= LARGE:
            return fused_generative_cross_entropy(logits, labels, self.weight)
        log_p = torch.log_softmax(logits, dim=1)
        if plain and self.weight == 1:
            return _generative_cross_entropy(log_p, labels)
        return self(log_p, labels) + negative_log_likelihood(log_p, labels)

    def _is_plain(self) -> bool:
        return not self.moving and num_processes() == 1

    def _log_marginal(self, log_p: Tensor) -> Tensor:
        log_share = torch.logsumexp(log_p, dim=0) - math.log(len(log_p))
        if num_processes() > 1:
            log_share = torch.logsumexp(gather(log_share), dim=0) - math.log(num_processes())
        return self._averaged(log_share) if self.moving else log_share

    def _averaged(self, log_share: Tensor) -> Tensor:
        num_batches = self.num_batches + 1
        # (1 - decay) / (1 - decay^t), the newest of t weights that decay and sum to 1.
        newest = torch.expm1(self.log_decay) / torch.expm1(num_batches * self.log_decay)
        past = torch.log1p(-newest) + self.log_average
        log_average = torch.logaddexp(past, newest.log() + log_share)
        if self.training:
            self.log_average.copy_(log_average.detach())
            self.num_batches.copy_(num_batches)
        return log_average


def _generative_cross_entropy(log_p: Tensor, labels: Tensor) -> Tensor:
    # log(p / (n m)) over one batch is a log-softmax along its cases: one kernel, no logsumexp.
    value = negative_log_likelihood(torch.log_softmax(log_p, dim=0), labels)
    # A constant has no gradient, so it need not be a node of the graph.
    value.detach().sub_(math.log(len(log_p)))
    return value
