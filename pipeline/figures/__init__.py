"""Frames to figures, in one style; nothing here reads, computes a metric or saves.

A frame holds rows of a table of `pipeline.tables`, by the columns that are named there: shares lie
in [0, 1], and what is undefined or masked is NaN.
"""

from pipeline.figures.bars import bars_figure
from pipeline.figures.confidence import confidence_figure
from pipeline.figures.curve_panels import curve_panels_figure
from pipeline.figures.decisions import costs_figure, net_benefit_figure
from pipeline.figures.forest import forest_figure
from pipeline.figures.frame import Frame, axes_frame
from pipeline.figures.reliability import reliability_figure
from pipeline.figures.selective import (
    exact_band_figure,
    risk_coverage_figure,
    silent_errors_figure,
    workload_figure,
)
from pipeline.figures.shift import shift_figure
from pipeline.figures.svg import to_svg
from pipeline.figures.training import training_figure
from pipeline.figures.watched import evidence_figure, risk_so_far_figure

__all__ = [
    "Frame",
    "axes_frame",
    "bars_figure",
    "confidence_figure",
    "costs_figure",
    "curve_panels_figure",
    "evidence_figure",
    "exact_band_figure",
    "forest_figure",
    "net_benefit_figure",
    "reliability_figure",
    "risk_coverage_figure",
    "risk_so_far_figure",
    "shift_figure",
    "silent_errors_figure",
    "to_svg",
    "training_figure",
    "workload_figure",
]
