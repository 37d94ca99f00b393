"""Panels of what is answered, and how wrong it then is."""

from __future__ import annotations

import pandas as pd

from pipeline.figures import (
    axes_frame,
    exact_band_figure,
    risk_coverage_figure,
    silent_errors_figure,
    workload_figure,
)
from pipeline.method_names import heading
from pipeline.metrics.intervals import LEVEL, proportion_interval
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.tables.exact_band import nearest_rows
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.wording import counted, percent, target_text
from pipeline.tables.risk_coverage import SHOWN_COVERAGES, shown_risk_coverage

FEWEST_ANSWERED = 30
"""A rate of fewer is not drawn."""
EVERY_THRESHOLD = "thresholds"
"""The explorer's table."""


def _with_joint_limits(band: pd.DataFrame) -> pd.DataFrame:
    """Return the rows at the workload's coverages with limits that hold together (Bonferroni)."""
    rows = band.iloc[nearest_rows(band, SHOWN_COVERAGES)]
    level = 1 - (1 - LEVEL) / len(rows)
    limits = [
        proportion_interval(int(wrong), int(answered), level)
        for wrong, answered in zip(rows["wrong"], rows["answered"], strict=True)
    ]
    return rows.assign(lower=[each.lower for each in limits], upper=[each.upper for each in limits])


def exact_band_panel(scores: Scores) -> Panel | None:
    """Return one model's risk-coverage curve with pointwise exact limits."""
    band, point = scores.shown("exact_band"), scores.point
    if band.empty:
        return None
    figure = exact_band_figure(band, _with_joint_limits(band), point, unit=scores.unit)
    everything = band.iloc[-1]
    sentence = (
        f"{heading(scores.model)}: if it "
        f"answered all {counted(point['num_test'], scores.unit)}, {everything['wrong']:,.0f} would "
        f"be wrong ({percent(everything['risk'])}). {_approved(point)} "
        "Band: pointwise 95% limits; bars: simultaneous 95% intervals."
    )
    title = "Risk and coverage of the model shown"
    return make_panel(
        scores, "exact_band", title, sentence, figure,
        frame=axes_frame(figure), table_elsewhere=EVERY_THRESHOLD,
    )  # fmt: skip


def _approved(point: pd.Series) -> str:
    if point["answered"]:
        return f"The approved threshold answers {point['answered']:,}."
    found = point["status"] == "found"
    return "The approved threshold answers nobody." if found else "None is approved."


def silent_errors_panel(scores: Scores) -> Panel | None:
    """Return wrong answers per 1,000 arriving, by the share answered."""
    band = scores.shown("exact_band")
    if band.empty:
        return None
    figure = silent_errors_figure(band, scores.point, unit=scores.unit)
    area = pick(scores.shown("summary"), metric="augrc")
    average = f"Average silent-error risk (AUGRC): {percent(area['mean'].iloc[0], 2)}. "
    sentence = (
        f"{average if len(area) else ''}Below the dashed line, confidence sorts errors better than "
        "chance."
    )
    title = "Wrong answers that nobody sees"
    return make_panel(
        scores, "silent_errors", title, sentence, figure, table_elsewhere=EVERY_THRESHOLD
    )


def workload_panel(scores: Scores) -> Panel | None:
    """Return what becomes of 1,000 arriving at each threshold."""
    band, point = scores.shown("exact_band"), scores.point
    if len(band) < 2:
        return None
    figure = workload_figure(band, point, unit=scores.unit)
    sentence = (
        f"Of {counted(point['num_test'], scores.unit)}, referring {point['referred']:,} leaves "
        f"{point['wrong']:,} wrong; referring none leaves {band['wrong'].iloc[-1]:,.0f}."
    )
    title = "Workload by threshold"
    return make_panel(scores, "workload", title, sentence, figure, table_elsewhere=EVERY_THRESHOLD)


def risk_coverage_panel(scores: Scores) -> Panel | None:
    """Return the losses' risk-coverage curves with bands over seeds; None with too few cases."""
    calibrator, target = scores.record["headline_calibrator"], scores.record["headline_target"]
    num_test, losses = scores.num_test_cases, shown_losses(scores)
    if num_test < FEWEST_ANSWERED:
        return None
    rows = pick(scores.frame("risk_coverage"), calibrator=calibrator)
    figure = risk_coverage_figure(
        rows[rows["coverage"] * num_test >= FEWEST_ANSWERED],
        losses=losses,
        target=target,
        unit=counted(num_test, "cases"),
    )
    title = "Losses compared" if len(losses) > 1 else "Risk and coverage of cases"
    left_out = len(scores.record["losses"]) - len(losses)
    more = f" In the table: {counted(left_out, 'losses')} more." if left_out else ""
    sentence = (
        f"After {scores.calibrator}; {scores.averaged(', band of one standard deviation')}, "
        f"from {FEWEST_ANSWERED} answered on. Lower is better; the target is "
        f"{target_text(target)}.{more}"
    )
    table = shown_risk_coverage(scores)
    return make_panel(scores, "risk_coverage", title, sentence, figure, table=table)
