"""Panels of reliability: confidence against accuracy, before and after calibration."""

from __future__ import annotations

from pipeline.figures import reliability_figure
from pipeline.method_names import named
from pipeline.metrics.group_shares import MASK_BELOW
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.reliability import calibration_sentence, shown_reliability


def reliability_panel(scores: Scores, loss: str) -> Panel:
    """Return one loss's reliability diagrams, uncalibrated and after the headline calibrator."""
    calibrators = scores.before_and_after
    own = {"loss": loss, "seed": scores.headline["seed"]}
    smooth = pick(scores.frame("smooth_curve"), **own)
    figure = reliability_figure(
        pick(scores.frame("reliability"), loss=loss),
        pick(scores.frame("confidence"), **own),
        smooth,
        calibrators=calibrators,
        series=shown_losses(scores).index(loss),
    )
    said = [calibration_sentence(scores, loss, calibrator) for calibrator in calibrators]
    if len(smooth):
        said.append("Band: uncertainty of this curve, point by point.")
    said.append(
        "Grey bars: 95% of calibrated models lie within all of them. Points: "
        f"{scores.averaged()}; bins of fewer than {MASK_BELOW} are left out."
    )
    name, title = f"reliability_{loss}", f"Reliability of {named(loss)}"
    table = shown_reliability(scores, loss)
    return make_panel(scores, name, title, " ".join(said), figure, table=table)
