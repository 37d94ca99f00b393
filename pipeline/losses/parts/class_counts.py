"""How many classes there are, and how many training cases of each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.arguments import whole_number
from pipeline.errors import InputError


def class_count(value: int) -> int:
    """Return the number of classes, at least two."""
    return whole_number("num_classes", value, lowest=2)


def training_counts(
    class_counts: Sequence[int] | Tensor | None, *, num_classes: int, because: str
) -> Tensor:
    """Return the number of training cases of each class, float64, all at least 1.

    Parameters
    ----------
    class_counts : sequence of int, (classes,), or None
        What the caller was given.
    because : str
        Why the loss's formula breaks for a class that has no training case.

    Raises
    ------
    InputError
        If there are no counts, one is no whole number, or a class has no training case.
    """
    if class_counts is None:
        message = "class_counts is needed: the number of training cases of each class"
        raise InputError(message)
    counts = torch.as_tensor(class_counts).to(torch.float64)
    if counts.shape != (num_classes,):
        message = f"class_counts must hold {num_classes} counts, got {tuple(counts.shape)}"
        raise InputError(message)
    if not ((counts >= 0) & (counts == counts.floor()) & counts.isfinite()).all():
        message = f"class_counts must be whole numbers >= 0, got {counts.tolist()}"
        raise InputError(message)
    empty = (counts == 0).nonzero().flatten().tolist()
    if empty:
        classes = ", ".join(str(each) for each in empty)
        message = f"every class needs a training case, since {because}; got none of class {classes}"
        raise InputError(message)
    return counts
