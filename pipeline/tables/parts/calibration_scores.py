"""The numbers by which a model is judged away from home."""

from __future__ import annotations

from pipeline.metrics import METRICS, prepare_cases
from pipeline.shapes import Labels, LogProbabilities
from pipeline.tables.parts.column import Column, metric

AWAY = ("accuracy", "nll", "ece", "brier")
"""Of `METRICS`; columns of every table of a shift or a site."""


def calibration_scores(log_probabilities: LogProbabilities, labels: Labels) -> dict[str, float]:
    """Return the metrics of `AWAY`."""
    cases = prepare_cases(log_probabilities, labels)
    return {name: float(METRICS[name](cases)) for name in AWAY}


def calibration_columns() -> tuple[Column, ...]:
    """Return their columns, hidden where there are few cases."""
    return tuple(metric(name, sd=f"{name}_sd", disclosure="rate") for name in AWAY)
