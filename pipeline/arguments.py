"""Arguments that a configuration names, checked where they are used."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from inspect import Parameter, signature
from numbers import Integral, Real
from typing import Any, TypeVar

from pipeline.errors import InputError

Value = TypeVar("Value")


def require_known(
    word: str,
    name: str,
    registry: Mapping[str, Callable[..., Any]],
    arguments: Collection[str],
    *,
    given: Collection[str],
) -> None:
    """Raise `InputError` unless a registry has a member and the member these arguments.

    Parameters
    ----------
    word : str
        What the registry holds, in the singular.
    registry : mapping of str to callable
        What builds each member.
    arguments : collection of str
        Names of the arguments that are configured.
    given : collection of str
        Names of those that the caller passes whatever is configured.

    Examples
    --------
    >>> require_known("root", "square", {"cube": pow}, [], given=["base", "exp"])
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: unknown root 'square'; known roots: cube
    >>> require_known("root", "cube", {"cube": pow}, ["modulus"], given=["base", "exp"])
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: unknown argument 'modulus' of root 'cube'; known arguments: mod
    """
    if name not in registry:
        words = f"{word}es" if word.endswith("s") else f"{word}s"
        message = f"unknown {word} {name!r}; known {words}: {', '.join(registry)}"
        raise InputError(message)
    parameters = signature(registry[name]).parameters
    known = {key: each for key, each in parameters.items() if key not in given}
    for argument in arguments:
        if argument not in known:
            message = (
                f"unknown argument {argument!r} of {word} {name!r}; "
                f"known arguments: {', '.join(known) or 'none'}"
            )
            raise InputError(message)
    for key, parameter in known.items():
        if key not in arguments and parameter.default is Parameter.empty:
            message = f"{word} {name!r} needs the argument {key!r}"
            raise InputError(message)


def non_negative(name: str, value: object) -> float:
    """Return a finite number that is at least 0.

    >>> non_negative("gamma", -1)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: gamma must be a number >= 0, got -1
    """
    return _number(name, value, accepted=lambda x: x >= 0, expected="a number >= 0")


def positive(name: str, value: object) -> float:
    """Return a finite number above 0.

    >>> positive("scale", 0)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: scale must be a number > 0, got 0
    """
    return _number(name, value, accepted=lambda x: x > 0, expected="a number > 0")


def share(name: str, value: object) -> float:
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


def one_of(name: str, value: Value, choices: Collection[object]) -> Value:
    """Return a value that is among the choices.

    >>> one_of("marginal", "epoch", ("batch", "ema"))
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: marginal must be one of batch, ema, got 'epoch'
    """
    if value not in choices:
        message = f"{name} must be one of {', '.join(map(str, choices))}, got {value!r}"
        raise InputError(message)
    return value
