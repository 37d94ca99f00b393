"""Panels of reliability: confidence against accuracy, before and after calibration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.metrics.group_shares import MASK_BELOW
from pipeline.plots import ConfidenceHistogram, ReliabilityBins, SmoothBand, reliability_figure
from pipeline.report.panels.panel import Panel, before_and_after, make_panel, shown_losses
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.reliability import calibration_sentence, shown_reliability


def reliability_panel(scores: Scores, loss: str) -> Panel:
    """Return one loss's reliability diagrams, uncalibrated and after the headline calibrator."""
    calibrators = before_and_after(scores)
    bins = [_reliability_bins(scores, loss, calibrator) for calibrator in calibrators]
    figure = reliability_figure(bins, series=shown_losses(scores).index(loss))
    said = [calibration_sentence(scores, loss, calibrator) for calibrator in calibrators]
    if any(each.smooth is not None for each in bins):
        said.append("Band: uncertainty of this curve, point by point.")
    said.append(
        "Grey bars: 95% of calibrated models lie within all of them. Points: "
        f"{scores.averaged()}; bins of fewer than {MASK_BELOW} are left out."
    )
    title = f"Reliability of {loss}"
    panel = make_panel(scores, f"reliability_{loss}", title, " ".join(said), figure)
    return replace(panel, table=shown_reliability(scores, loss))


def _reliability_bins(scores: Scores, loss: str, calibrator: str) -> ReliabilityBins:
    rows = pick(scores.frame("reliability"), loss=loss, calibrator=calibrator)
    names = ("count", "confidence", "accuracy", "consistency_lower", "consistency_upper")
    return ReliabilityBins(
        title=calibrator,
        **{name: rows[name].to_numpy(float) for name in names},
        histogram=_histogram(scores, loss, calibrator),
        smooth=_smooth(scores, loss, calibrator),
    )


def _histogram(scores: Scores, loss: str, calibrator: str) -> ConfidenceHistogram | None:
    if scores.frame("confidence").empty:
        return None
    seed = scores.headline["seed"]
    rows = pick(scores.frame("confidence"), loss=loss, calibrator=calibrator, seed=seed)
    edges = np.append(rows["lower_edge"], rows["upper_edge"].iloc[-1])
    return ConfidenceHistogram(edges, rows["right"].to_numpy(float), rows["wrong"].to_numpy(float))


def _smooth(scores: Scores, loss: str, calibrator: str) -> SmoothBand | None:
    if scores.frame("smooth_curve").empty:
        return None
    seed = scores.headline["seed"]
    rows = pick(scores.frame("smooth_curve"), loss=loss, calibrator=calibrator, seed=seed)
    names = ("confidence", "accuracy", "lower", "upper")
    return None if rows.empty else SmoothBand(*(rows[name].to_numpy(float) for name in names))
