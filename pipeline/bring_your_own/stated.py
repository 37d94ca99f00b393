"""Numbers that a user states of classes on the command line: shares and costs."""

from __future__ import annotations

import re

from pipeline.errors import InputError

PART = re.compile(r"\s*(?P<name>[^=]+?)\s*=\s*(?P<number>[^=,]+?)\s*(?:,|$)")
"""A name may hold commas, as classes do; a number may not."""


def read_shares(text: str) -> dict[str, float]:
    """Return the numbers stated of names; nothing for an empty text.

    Raises `InputError` if a part is not NAME=NUMBER, or a name is stated twice.

    >>> read_shares("malignant=0.1, normal, benign=0.9")
    {'malignant': 0.1, 'normal, benign': 0.9}
    """
    shares: dict[str, float] = {}
    position = 0
    while position < len(text):
        part = PART.match(text, position)
        if part is None:
            message = f"CLASS=NUMBER,CLASS=NUMBER expected, got '{text}'"
            raise InputError(message)
        name = part["name"]
        if name in shares:
            message = f"one number a name expected, got two of '{name}'"
            raise InputError(message)
        shares[name] = _number(part["number"])
        position = part.end()
    return shares


def read_costs(text: str) -> dict[str, dict[str, float]]:
    """Return the costs stated by true class and by the class answered, TRUE:ANSWERED=COST.

    >>> read_costs("malignant:benign=20,benign:malignant=2")
    {'malignant': {'benign': 20.0}, 'benign': {'malignant': 2.0}}
    """
    costs: dict[str, dict[str, float]] = {}
    for pair, cost in read_shares(text).items():
        true, colon, answered = pair.partition(":")
        if not colon:
            message = f"TRUE:ANSWERED=COST expected, got '{pair}'"
            raise InputError(message)
        costs.setdefault(true.strip(), {})[answered.strip()] = cost
    return costs


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        message = f"a number expected, got '{text}'"
        raise InputError(message) from error
