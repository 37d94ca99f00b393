"""Arguments of losses, checked where a loss is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real

import torch
from torch import Tensor

from pipeline.errors import InputError


def non_negative(name: str, value: float) -> float:
    """Return a finite number that is at least 0.

    >>> non_negative("gamma", -1)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: gamma must be a number >= 0, got -1
    """
    return _number(name, value, accepted=lambda x: x >= 0, expected="a number >= 0")


def positive(name: str, value: float) -> float:
    """Return a finite number above 0.

    >>> positive("scale", 0)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: scale must be a number > 0, got 0
    """
    return _number(name, value, accepted=lambda x: x > 0, expected="a number > 0")


def share(name: str, value: float) -> float:
    """Return a number in [0, 1).

    >>> share("decay", 1.0)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: decay must be a number in [0, 1), got 1.0
    """
    return _number(name, value, accepted=lambda x: 0 <= x < 1, expected="a number in [0, 1)")


def _number(name: str, value: object, *, accepted: Callable[[float], bool], expected: str) -> float:
    number = float(value) if isinstance(value, Real) else math.nan
    if isinstance(value, bool) or not math.isfinite(number) or not accepted(number):
        message = f"{name} must be {expected}, got {value!r}"
        raise InputError(message)
    return number


def whole_number(name: str, value: object, *, lowest: int) -> int:
    """Return a whole number that is at least ``lowest``.

    >>> whole_number("num_classes", 1, lowest=2)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: num_classes must be a whole number >= 2, got 1
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < lowest:
        message = f"{name} must be a whole number >= {lowest}, got {value!r}"
        raise InputError(message)
    return int(value)


def one_of(name: str, value: str, choices: Sequence[str]) -> str:
    """Return a word that is among the choices.

    >>> one_of("marginal", "epoch", ("batch", "ema"))
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: marginal must be one of batch, ema, got 'epoch'
    """
    if value not in choices:
        message = f"{name} must be one of {', '.join(choices)}, got {value!r}"
        raise InputError(message)
    return value


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
