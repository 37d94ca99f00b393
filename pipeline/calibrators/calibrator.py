"""What every fitted calibrator is, the checks at its border, and a word where cases are few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.errors import InputError
from pipeline.shapes import (
    Labels,
    Logits,
    LogProbabilities,
    require_finite,
    require_labels_in_range,
    require_same_length,
)

FEWEST_PER_CLASS = {"dirichlet": 50, "isotonic": 200, "vector": 50}
"""Below so many calibration cases a class these over-fit: new cases are likelier after temperature
scaling, by more than 0.05 nats on average in simulations of 2, 4 and 10 classes."""


class Calibrator(Protocol):
    """A fitted map from logits to log-probabilities; it knows neither files nor labels.

    Every implementation is a frozen dataclass whose fields are numbers, words, tuples of these or
    other calibrators, so that `pipeline.calibrators.serialisation` can write it as JSON.
    """

    @property
    def preserves_argmax(self) -> bool:
        """Whether the predicted class of every case, hence accuracy, is sure to stay."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Facts about the fit that a report must show, such as a temperature at its bound."""

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return finite float64 log-probabilities, (n, classes).

        Each row's exponentials sum to one. Raises `InputError` if a logit is NaN or infinite.
        """


@dataclass(frozen=True)
class SiteCases:
    """Logits of one place, (n, classes), and the true classes where they are known, (n,)."""

    logits: Logits
    labels: Labels | None = None

    @property
    def required_labels(self) -> Labels:
        """The labels; `InputError` if there are none."""
        if self.labels is None:
            message = "labelled cases expected, got logits alone"
            raise InputError(message)
        return self.labels


def checked_logits(logits: Logits, *, num_classes: int | None = None) -> Logits:
    """Return logits as a float64 table in C order; refuse any other shape and NaN or infinity.

    ``num_classes`` are those that the calibrator was fitted on, where they matter.

    >>> checked_logits(np.zeros((4, 1)))
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: logits must have shape (cases, 2 or more classes), got (4, 1)
    """
    table = np.ascontiguousarray(logits, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        message = f"logits must have shape (cases, 2 or more classes), got {table.shape}"
        raise InputError(message)
    if len(table):
        require_finite("logits", table)
    if num_classes not in (None, table.shape[1]):
        message = f"logits of {num_classes} classes expected, got {table.shape[1]}"
        raise InputError(message)
    return table


def checked_cases(
    logits: Logits, labels: Labels, *, at_least: int | None = None
) -> tuple[Logits, Labels]:
    """Return float64 logits and integer labels; refuse too few cases.

    ``at_least`` is as many as there are classes, by default.

    >>> checked_cases(np.zeros((1, 3)), np.array([0]), at_least=2)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: at least 2 calibration cases are needed, got 1
    """
    table, classes = checked_logits(logits), np.asarray(labels)
    require_same_length(logits=table, labels=classes)
    if classes.ndim != 1 or not np.issubdtype(classes.dtype, np.integer):
        message = f"labels must be a list of integers, got {classes.dtype} {classes.shape}"
        raise InputError(message)
    require_labels_in_range(classes, num_classes=table.shape[1])
    needed = table.shape[1] if at_least is None else at_least
    if len(classes) < needed:
        message = f"at least {needed} calibration cases are needed, got {len(classes)}"
        raise InputError(message)
    return table, classes


def few_cases_notes(kind: str, num_cases: int, num_classes: int) -> tuple[str, ...]:
    """Say that a calibrator needs more cases, if it does.

    >>> few_cases_notes("isotonic", 300, 4)
    ('needs more cases: 75 a class, and below 200 temperature scaling may well be better',)
    >>> few_cases_notes("vector", 300, 4)
    ()
    """
    fewest = FEWEST_PER_CLASS[kind]
    if num_cases >= fewest * num_classes:
        return ()
    given = num_cases // num_classes
    return (
        f"needs more cases: {given} a class, and below {fewest} temperature scaling may well be "
        "better",
    )
