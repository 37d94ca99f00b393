"""The border of every loss: a batch of logits and labels, checked and in full precision."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.errors import InputError

# PyTorch skips the label -100 unless told another; no class has this one, so none is skipped.
NEVER_IGNORED = torch.iinfo(torch.int64).min

LOW_PRECISION = (torch.float16, torch.bfloat16)


def checked_batch(
    logits: Tensor, labels: Tensor, *, num_classes: int, soft: bool
) -> tuple[Tensor, Tensor]:
    """Return a batch's logits in float32 or better and its labels as a loss reads them.

    Parameters
    ----------
    logits : float tensor, (cases, classes)
        Unnormalised log-probabilities in nats, in whatever precision the network computes.
    labels : integer tensor, (cases,), or float tensor, (cases, classes)
        True classes, or one probability for each class.
    num_classes : int
        Number of columns expected.
    soft : bool
        Whether the loss is defined for class probabilities.

    Returns
    -------
    logits, labels : tensors
        float16 and bfloat16 become float32, float32 and float64 stay; true classes become int64,
        class probabilities take the type of the logits.

    Raises
    ------
    InputError
        If the batch is empty, its shapes do not agree, or it brings class probabilities to a loss
        that reads true classes only.
    """
    logits, labels = _plain(logits), _plain(labels)
    if logits.ndim != 2 or logits.shape[1] != num_classes or len(logits) == 0:
        message = f"logits must be (cases >= 1, {num_classes}), got {tuple(logits.shape)}"
        raise InputError(message)
    if logits.dtype in LOW_PRECISION:
        logits = logits.float()
    if labels.is_floating_point():
        if not soft:
            message = "this loss takes true classes, not class probabilities (mixup, soft labels)"
            raise InputError(message)
        labels, shape = labels.to(logits.dtype), logits.shape
    else:
        labels, shape = labels.long(), logits.shape[:1]
    if labels.shape != shape:
        message = f"labels must be {tuple(shape)}, got {tuple(labels.shape)}"
        raise InputError(message)
    return logits, labels


def _plain(values: Tensor) -> Tensor:
    # Subclasses that carry metadata (MONAI's MetaTensor) slow down every operation on them.
    return values if type(values) is Tensor else values.as_subclass(Tensor)


def at_labels(values: Tensor, labels: Tensor) -> Tensor:
    """Return each case's value at its label; for class probabilities, the expected value.

    >>> values = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    >>> at_labels(values, torch.tensor([0, 1]))
    tensor([1., 5.])
    >>> at_labels(values, torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
    tensor([1., 4.])
    """
    if labels.is_floating_point():
        return (values * labels).sum(1)
    return values.gather(1, labels[:, None]).squeeze(1)


def negative_log_likelihood(log_p: Tensor, labels: Tensor) -> Tensor:
    """Return minus the mean over the cases of `at_labels`, in the fewest kernels.

    >>> negative_log_likelihood(torch.tensor([[-1.0, -2.0], [-3.0, -4.0]]), torch.tensor([0, 1]))
    tensor(2.5000)
    """
    if labels.is_floating_point():
        return -at_labels(log_p, labels).mean()
    return functional.nll_loss(log_p, labels, ignore_index=NEVER_IGNORED)


def label_probabilities(labels: Tensor, like: Tensor) -> Tensor:
    """Return one probability a class for each case: one-hot for true classes.

    >>> label_probabilities(torch.tensor([1, 0]), like=torch.zeros(2, 3))
    tensor([[0., 1., 0.],
            [1., 0., 0.]])
    """
    if labels.is_floating_point():
        return labels
    return functional.one_hot(labels, like.shape[1]).to(like.dtype)
