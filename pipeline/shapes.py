"""Array types that name their axes, and the checks made at every border."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from pipeline.errors import InputError

Logits = Float[np.ndarray, "cases classes"]
"""Unnormalised log-probabilities in nats: adding a constant to a row changes nothing."""

LogProbabilities = Float[np.ndarray, "cases classes"]
"""Natural logarithms of probabilities: each row's exponentials sum to one."""

Probabilities = Float[np.ndarray, "cases classes"]
"""Probabilities in [0, 1]: each row sums to one."""

Labels = Int[np.ndarray, "cases"]
"""True classes, ``0 <= label < classes``."""


def require_labels_in_range(labels: Labels, *, num_classes: int) -> None:
    """Raise `InputError` unless every label names one of the classes.

    >>> require_labels_in_range(np.array([0, 2]), num_classes=2)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: labels must lie in [0, 2), got 0..2
    """
    if len(labels) == 0:
        message = "labels must name at least one case, got none"
        raise InputError(message)
    lowest, highest = labels.min(), labels.max()
    if lowest < 0 or highest >= num_classes:
        message = f"labels must lie in [0, {num_classes}), got {lowest}..{highest}"
        raise InputError(message)


def require_finite(name: str, values: Float[np.ndarray, "cases *axes"]) -> None:
    """Raise `InputError` if any value is NaN or infinite.

    >>> require_finite("logits", np.array([[0.0, 1.0], [np.nan, 2.0]]))
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: logits must be finite, got NaN or infinity in 1 of 2 rows, first 1
    """
    finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if not finite.all():
        rows = np.flatnonzero(~finite)
        message = (
            f"{name} must be finite, got NaN or infinity in {len(rows)} of {len(values)} rows, "
            f"first {rows[0]}"
        )
        raise InputError(message)


def require_same_length(**arrays: np.ndarray) -> None:
    """Raise `InputError` unless all arrays have one row a case.

    >>> require_same_length(logits=np.zeros((3, 2)), labels=np.zeros(2))
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: one row a case expected, got logits 3, labels 2
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        message = f"one row a case expected, got {found}"
        raise InputError(message)
