"""Arrays to figures, in one style; nothing here reads, computes a metric or saves."""

from pipeline.plots.bars import BarPanel, BarSeries, bars_figure
from pipeline.plots.confidence import (
    ConfidenceShares,
    SharesPanel,
    confidence_shares_figure,
)
from pipeline.plots.curve_panels import (
    CurvePanel,
    GroupCurve,
    MarkedPoint,
    curve_panels_figure,
)
from pipeline.plots.decisions import DecisionCurve, costs_figure, net_benefit_figure
from pipeline.plots.forest import ForestPanel, ForestRow, forest_figure
from pipeline.plots.frame import Frame, axes_frame
from pipeline.plots.reliability import (
    ConfidenceHistogram,
    ReliabilityBins,
    SmoothBand,
    reliability_figure,
)
from pipeline.plots.selective import (
    ExactBand,
    JointLimits,
    RiskCurve,
    exact_band_figure,
    risk_coverage_figure,
    silent_errors_figure,
    workload_figure,
)
from pipeline.plots.shift import ShiftColumn, ShiftSeries, shift_figure
from pipeline.plots.svg import to_svg
from pipeline.plots.training import TrainingCurve, training_figure

__all__ = [
    "BarPanel",
    "BarSeries",
    "ConfidenceHistogram",
    "ConfidenceShares",
    "CurvePanel",
    "DecisionCurve",
    "ExactBand",
    "ForestPanel",
    "ForestRow",
    "Frame",
    "GroupCurve",
    "JointLimits",
    "MarkedPoint",
    "ReliabilityBins",
    "RiskCurve",
    "SharesPanel",
    "ShiftColumn",
    "ShiftSeries",
    "SmoothBand",
    "TrainingCurve",
    "axes_frame",
    "bars_figure",
    "confidence_shares_figure",
    "costs_figure",
    "curve_panels_figure",
    "exact_band_figure",
    "forest_figure",
    "net_benefit_figure",
    "reliability_figure",
    "risk_coverage_figure",
    "shift_figure",
    "silent_errors_figure",
    "to_svg",
    "training_figure",
    "workload_figure",
]
