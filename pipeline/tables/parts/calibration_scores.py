"""The four numbers by which a model is judged away from home."""

from __future__ import annotations

from pipeline.metrics.accuracy import accuracy
from pipeline.metrics.brier import brier
from pipeline.metrics.calibration_error import ece
from pipeline.metrics.nll import nll
from pipeline.metrics.top_label import top_label
from pipeline.shapes import Labels, LogProbabilities


def calibration_scores(log_probabilities: LogProbabilities, labels: Labels) -> dict[str, float]:
    """Return accuracy, nll, ece and brier."""
    top = top_label(log_probabilities, labels)
    return {
        "accuracy": float(accuracy(log_probabilities, labels)),
        "nll": float(nll(log_probabilities, labels)),
        "ece": float(ece(top.confidence, top.correct)),
        "brier": float(brier(log_probabilities, labels)),
    }
