"""Arrays to figures, in one style; nothing here reads, computes a metric or saves."""

from pipeline.plots.frame import Frame, axes_frame
from pipeline.plots.reliability import ConfidenceHistogram, ReliabilityBins, reliability_figure
from pipeline.plots.selective import (
    ExactBand,
    RiskCurve,
    exact_band_figure,
    risk_coverage_figure,
    silent_errors_figure,
)
from pipeline.plots.svg import to_svg
from pipeline.plots.training import TrainingCurve, training_figure

__all__ = [
    "ConfidenceHistogram",
    "ExactBand",
    "Frame",
    "ReliabilityBins",
    "RiskCurve",
    "TrainingCurve",
    "axes_frame",
    "exact_band_figure",
    "reliability_figure",
    "risk_coverage_figure",
    "silent_errors_figure",
    "to_svg",
    "training_figure",
]
