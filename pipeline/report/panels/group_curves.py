"""Panel of the groups' risk-coverage curves, laid over one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.metrics.group_shares import RATE_FROM
from pipeline.plots import CurvePanel, GroupCurve, MarkedPoint, curve_panels_figure
from pipeline.report.panels.panel import MOST_CURVES, Panel, make_panel
from pipeline.tables.groups import group_rows
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.wording import interval, missing, percent, threshold_text

NUM_POINTS = 5
"""Of each curve in the table that a page shows; the files hold all."""

Marks = dict[tuple[str, str], MarkedPoint]


def group_curves_panel(scores: Scores) -> Panel | None:
    """Return the curves of groups of 30 patients and more; None without such groups."""
    if scores.frame("group_curves").empty:
        return None
    frame, marks = scores.shown("group_curves"), _marks(scores)
    if frame.empty:
        return None
    panels = [
        CurvePanel(
            str(column).replace("_", " "),
            f"answered, % of the group's {scores.unit}",
            [
                _curve(str(group), series, own, marks.get((str(column), str(group))))
                for series, (group, own) in enumerate(_largest(kind).groupby("group", sort=False))
            ],
        )
        for column, kind in frame.groupby("column", sort=False)
    ]
    figure = curve_panels_figure(
        panels, target=scores.record["headline_target"], mark="approved threshold"
    )
    title = "Risk and coverage by group"
    panel = make_panel(scores, "group_curves", title, _sentence(scores, marks), figure)
    return replace(panel, table=_table(frame), wide=len(panels) > 1)


def _marks(scores: Scores) -> Marks:
    """Return where the approved threshold puts each group that has a rate there."""
    if scores.frame("groups").empty:
        return {}
    rows = scores.shown("groups")
    return {
        (column, group): MarkedPoint(
            1 - float(referred["share"]), float(wrong["share"]), wrong["lower"], wrong["upper"]
        )
        for column, group, referred, wrong in group_rows(rows)
        if not (missing(referred["share"]) or missing(wrong["share"]))
    }


def _largest(kind: pd.DataFrame) -> pd.DataFrame:
    """Return the curves of the largest groups of a kind, as many as can be told apart."""
    sizes = kind.groupby("group", sort=False)["patients"].first()
    return kind[kind["group"].isin(sizes.nlargest(MOST_CURVES).index)]


def _curve(group: str, series: int, own: pd.DataFrame, marked: MarkedPoint | None) -> GroupCurve:
    coverage, risk = (own[name].to_numpy(float) for name in ("coverage", "risk"))
    label = f"{group} (n = {own['patients'].iloc[0]:,})"
    return GroupCurve(label, series, coverage, risk, np.full(len(risk), np.nan), marked)


def _sentence(scores: Scores, marks: Marks) -> str:
    headline = scores.headline
    whose = f"{headline['loss']} with {headline['calibrator']}, seed {headline['seed']}."
    rules = (
        f"Curves begin at {RATE_FROM} answered; groups of fewer than {RATE_FROM} have none, masked "
        f"ones nothing, and of one kind at most {MOST_CURVES} are drawn. Curves that cross or lie "
        "near one another show no equality."
    )
    if not marks:
        return f"{whose} No threshold puts a group where it has a rate: none is marked. {rules}"
    order = sorted(marks, key=lambda name: marks[name].risk)
    low, high = (_words(name, marks[name]) for name in (order[0], order[-1]))
    found = f"wrong among the answered runs from {low} to {high}" if len(order) > 1 else (
        f"wrong among the answered is {low}"
    )  # fmt: skip
    return (
        f"{whose} One threshold for all groups, the approved, is marked with exact 95% intervals: "
        f"{found}. {rules}"
    )


def _words(name: tuple[str, str], point: MarkedPoint) -> str:
    column, group = name
    span = interval(point.lower, point.upper)
    return f"{percent(point.risk)} ({column.replace('_', ' ')} {group}; {span})"


def _table(frame: pd.DataFrame) -> Table:
    rows = []
    for (column, group), own in frame.groupby(["column", "group"], sort=False):
        places = np.unique(np.linspace(0, len(own) - 1, NUM_POINTS).astype(int))
        rows += [
            (
                Cell(str(column).replace("_", " ")),
                Cell(str(group)),
                Cell(threshold_text(row["threshold"])),
                Cell(f"{row['answered']:,} of {row['patients']:,}", percent(row["coverage"])),
                Cell(
                    f"{row['wrong']:,}",
                    f"{percent(row['risk'])} ({interval(row['lower'], row['upper'])})",
                ),
            )
            for _, row in own.iloc[places].iterrows()
        ]
    return Table(
        name="group_curves",
        caption=f"Risk and coverage by group, {NUM_POINTS} thresholds of each at most, with "
        "pointwise exact 95% intervals; the files hold every point that is drawn.",
        columns=(
            Heading("By", numeric=False),
            Heading("Group", numeric=False),
            Heading("Confidence from"),
            Heading("Answered"),
            Heading("Wrong", "of the answered"),
        ),
        rows=tuple(rows),
        frame=frame,
        headings=3,
    )
