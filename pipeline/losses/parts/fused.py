"""Generative cross-entropy of one large batch with its gradient written out: fewer passes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from pipeline.losses.parts.batch import negative_log_likelihood

LARGE = 2**18
"""Logits from which the passes over memory cost more than the calls that they are made of."""


def fused_generative_cross_entropy(logits: Tensor, labels: Tensor, weight: float) -> Tensor:
    r"""Return cross-entropy plus the class regulariser over one batch; differentiable once.

    .. math:: -\frac1n \sum_{ik} t_{ik} \log p_{ik} + \lambda \sum_k \pi_k \log \frac1n \sum_i
              p_{ik}, \qquad \pi_k = \frac1n \sum_i t_{ik}

    with t the labels, one-hot for true classes. With :math:`r_{ik} = p_{ik} / \sum_j p_{jk}` the
    gradient is

    .. math:: \frac{\partial}{\partial z_{ik}} = \lambda \pi_k r_{ik} - \frac{t_{ik}}n
              + p_{ik} \Big(\frac1n \sum_l t_{il} - \lambda \sum_l \pi_l r_{il}\Big)

    Parameters
    ----------
    logits : float32 or float64 tensor, (cases, classes)
        Any size; finite.
    labels : int64 tensor, (cases,), or float tensor, (cases, classes)
        True classes, or class probabilities of the logits' type.
    weight : float
        :math:`\lambda`, at least 0.

    >>> logits = torch.tensor([[0.8, 0.2], [0.4, 0.6]]).log()
    >>> fused_generative_cross_entropy(logits, torch.tensor([0, 1]), 1.0).exp() ** -2
    tensor(2.0000)
    """
    return _Fused.apply(logits, labels, weight)


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, weight: float) -> Tensor:
        log_p = functional.log_softmax(logits, dim=1)
        cross_entropy = negative_log_likelihood(log_p, labels)
        # Each class is measured from its surest case, so the sum below is at least 1.
        highest = log_p.amax(0)
        scaled = log_p.sub_(highest).exp_()
        total = scaled.sum(0)
        log_marginal = highest + total.log() - math.log(len(logits))
        shares = _shares(labels, logits)
        ctx.save_for_backward(scaled, highest, weight * shares / total, labels)
        return cross_entropy + weight * (shares * log_marginal).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        scaled, highest, pull, labels = ctx.saved_tensors
        weight_of_case = gradient / len(scaled)
        pull = gradient * pull
        soft = labels.is_floating_point()
        push = weight_of_case * (labels.sum(1) if soft else 1.0) - scaled @ pull
        result = torch.addr(pull.expand_as(scaled), push, highest.exp()).mul_(scaled)
        if soft:
            return result.sub_(weight_of_case * labels), None, None
        rows = torch.arange(len(labels), device=labels.device)
        result[rows, labels] -= weight_of_case
        return result, None, None


def _shares(labels: Tensor, like: Tensor) -> Tensor:
    if labels.is_floating_point():
        return labels.mean(0)
    counted = torch.zeros_like(like[0]).index_add_(0, labels, torch.ones_like(like[:, 0]))
    return counted / len(labels)
