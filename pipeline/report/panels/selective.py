"""Panels of what is answered, and how wrong it then is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.metrics.intervals import LEVEL, proportion_interval
from pipeline.plots import (
    ExactBand,
    JointLimits,
    RiskCurve,
    axes_frame,
    exact_band_figure,
    risk_coverage_figure,
    silent_errors_figure,
    workload_figure,
)
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.tables.exact_band import nearest_rows
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.wording import counted, percent, target_text
from pipeline.tables.risk_coverage import SHOWN_COVERAGES, shown_risk_coverage

FEWEST_ANSWERED = 30
"""A rate of fewer is not drawn."""
EVERY_THRESHOLD = "thresholds"
"""The explorer's table."""


def _exact_band(scores: Scores) -> tuple[ExactBand, tuple[int, int] | None]:
    rows = scores.shown("exact_band")
    point = scores.point
    columns = {key: rows[key].to_numpy(float) for key in ("answered", "wrong", "lower", "upper")}
    joint = None if rows.empty else _joint_limits(rows)
    band = ExactBand(**columns, num_cases=int(point["num_test"]), joint=joint)
    found = point["status"] == "found" and point["answered"] > 0
    return band, (int(point["answered"]), int(point["wrong"])) if found else None


def _joint_limits(rows: pd.DataFrame) -> JointLimits:
    """Return exact limits at the workload's coverages that hold together, after Bonferroni."""
    nearest = rows.iloc[nearest_rows(rows, SHOWN_COVERAGES)]
    level = 1 - (1 - LEVEL) / len(nearest)
    limits = [
        proportion_interval(int(wrong), int(answered), level)
        for wrong, answered in zip(nearest["wrong"], nearest["answered"], strict=True)
    ]
    lower = np.array([each.lower for each in limits])
    upper = np.array([each.upper for each in limits])
    return JointLimits(nearest["answered"].to_numpy(float), lower, upper)


def exact_band_panel(scores: Scores) -> Panel | None:
    """Return one model's risk-coverage curve with pointwise exact limits."""
    band, chosen = _exact_band(scores)
    if not len(band.answered):
        return None
    target = scores.record["headline_target"]
    figure = exact_band_figure(band, target=target, chosen=chosen, unit=scores.unit)
    place = f"The approved threshold answers {chosen[0]:,}." if chosen else _none_answered(scores)
    headline = scores.headline
    sentence = (
        f"{headline['loss']} with {headline['calibrator']}, seed {headline['seed']}: answering all "
        f"{band.num_cases:,} is wrong in {band.wrong[-1]:,.0f} ({percent(band.risk[-1])}). {place} "
        "Each slice has 95% confidence; the whole line has less: the bars hold together."
    )
    panel = make_panel(
        scores, "exact_band", "Risk and coverage of the model shown", sentence, figure
    )
    return replace(panel, frame=axes_frame(figure), table_elsewhere=EVERY_THRESHOLD)


def _none_answered(scores: Scores) -> str:
    point = scores.point
    found = point["status"] == "found"
    return "The approved threshold answers nobody." if found else "None is approved."


def silent_errors_panel(scores: Scores) -> Panel | None:
    """Return wrong answers per 1,000 arriving, by the share answered."""
    band, chosen = _exact_band(scores)
    if not len(band.answered):
        return None
    figure = silent_errors_figure(band, chosen=chosen, unit=scores.unit)
    area = pick(scores.shown("summary"), metric="augrc")
    average = f"Average silent-error risk (AUGRC): {percent(area['mean'].iloc[0], 2)}. "
    sentence = (
        f"{average if len(area) else ''}Below the dashed line, confidence sorts errors better than "
        "chance."
    )
    panel = make_panel(scores, "silent_errors", "Wrong answers that nobody sees", sentence, figure)
    return replace(panel, table_elsewhere=EVERY_THRESHOLD)


def workload_panel(scores: Scores) -> Panel | None:
    """Return what becomes of 1,000 arriving at each threshold."""
    band, chosen = _exact_band(scores)
    if len(band.answered) < 2:
        return None
    threshold = scores.shown("exact_band")["threshold"].to_numpy(float)
    point = scores.point
    approved = float(point["threshold"]) if chosen else None
    figure = workload_figure(band, threshold, chosen=approved, unit=scores.unit)
    referred, wrong = int(point["referred"]), int(point["wrong"])
    sentence = (
        f"Of {counted(band.num_cases, scores.unit)}, referring {referred:,} leaves {wrong:,} "
        f"wrong; referring none leaves {band.wrong[-1]:,.0f}."
    )
    panel = make_panel(scores, "workload", "Workload by threshold", sentence, figure)
    return replace(panel, table_elsewhere=EVERY_THRESHOLD)


def risk_coverage_panel(scores: Scores) -> Panel | None:
    """Return the losses' risk-coverage curves with bands over seeds; None with too few cases."""
    record, calibrator = scores.record, scores.record["headline_calibrator"]
    num_test = scores.num_test_cases
    if num_test < FEWEST_ANSWERED:
        return None
    curves = []
    for series, loss in enumerate(shown_losses(scores)):
        rows = pick(scores.frame("risk_coverage"), loss=loss, calibrator=calibrator)
        rows = rows[rows["coverage"] * num_test >= FEWEST_ANSWERED]
        columns = (rows[key].to_numpy(float) for key in ("coverage", "risk_mean", "risk_sd"))
        curves.append(RiskCurve(loss, series, *columns))
    figure = risk_coverage_figure(
        curves, target=record["headline_target"], unit=counted(num_test, "cases")
    )
    title = "Losses compared" if len(curves) > 1 else "Risk and coverage of cases"
    left_out = len(record["losses"]) - len(curves)
    more = f" In the table: {counted(left_out, 'losses')} more." if left_out else ""
    sentence = (
        f"After {calibrator}; {scores.averaged(', band of one standard deviation')}, "
        f"from {FEWEST_ANSWERED} answered on. Lower is better; the target is "
        f"{target_text(record['headline_target'])}.{more}"
    )
    panel = make_panel(scores, "risk_coverage", title, sentence, figure)
    return replace(panel, table=shown_risk_coverage(scores))
