"""Isotonic regression of each class against the rest, rows then made to sum to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.calibrators.bcts import absent_notes
from pipeline.calibrators.calibrator import (
    checked_cases,
    checked_logits,
    few_cases_notes,
)
from pipeline.calibrators.softmax import log_softmax
from pipeline.shapes import Labels, Logits, LogProbabilities


@dataclass(frozen=True)
class IsotonicCalibration:
    """Map each class's probability through its own rising curve, then divide by the row's sum."""

    preserves_argmax: ClassVar[bool] = False

    knots: tuple[tuple[float, ...], ...]
    """Uncalibrated probabilities, ascending, one tuple a class."""
    values: tuple[tuple[float, ...], ...]
    """Observed frequencies at the knots; linear between them and level beyond."""
    floor: float
    """Least frequency, before a row is divided by its sum: no class is ever ruled out."""
    notes: tuple[str, ...] = ()

    def __call__(self, logits: Logits) -> LogProbabilities:
        """Return calibrated log-probabilities; each row's exponentials sum to one."""
        logits = checked_logits(logits, num_classes=len(self.knots))
        result = np.exp(log_softmax(logits))
        for k, (knots, values) in enumerate(zip(self.knots, self.values, strict=True)):
            result[:, k] = np.interp(result[:, k], knots, values)
        np.maximum(result, self.floor, out=result)
        result /= result.sum(axis=1, keepdims=True)
        return np.log(result, out=result)


def fit_isotonic(logits: Logits, labels: Labels) -> IsotonicCalibration:
    """Fit, for each class, the rising curve of least squares from its probability to its frequency.

    May change the arg-max, hence accuracy, and makes ties. Frequencies of exactly zero are raised
    to 1 / (n classes), our choice, so that no log-probability is infinite. Too few cases and
    classes without any are named in ``notes``.

    Hundreds of cases a class are needed for it to do more good than harm.

    References
    ----------
    Zadrozny and Elkan, KDD 2002, "Transforming classifier scores into accurate multiclass
    probability estimates".
    """
    from sklearn.isotonic import IsotonicRegression

    logits, labels = checked_cases(logits, labels)
    num_classes = logits.shape[1]
    probabilities = np.exp(log_softmax(logits))
    knots, values = [], []
    for k in range(num_classes):
        curve = IsotonicRegression(y_min=0.0, y_max=1.0).fit(probabilities[:, k], labels == k)
        knots.append(tuple(curve.X_thresholds_.tolist()))
        values.append(tuple(curve.y_thresholds_.tolist()))
    return IsotonicCalibration(
        tuple(knots),
        tuple(values),
        floor=1.0 / (len(labels) * num_classes),
        notes=few_cases_notes("isotonic", len(labels), num_classes)
        + absent_notes(labels, num_classes),
    )
