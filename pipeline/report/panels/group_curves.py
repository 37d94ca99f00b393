"""Panel of the groups' risk-coverage curves, laid over one another."""

from __future__ import annotations

import pandas as pd

from pipeline.figures import curve_panels_figure
from pipeline.method_names import heading
from pipeline.metrics.group_shares import RATE_FROM
from pipeline.report.panels.panel import MOST_CURVES, Panel, make_panel
from pipeline.tables.group_curves import shown_group_curves
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.wording import interval, percent


def group_curves_panel(scores: Scores) -> Panel | None:
    """Return the curves of groups of 30 patients and more; None without such groups."""
    frame, points = scores.shown("group_curves"), _points(scores)
    if frame.empty:
        return None
    panels = {
        str(column).replace("_", " "): _largest(kind)
        for column, kind in frame.groupby("column", sort=False)
    }
    figure = curve_panels_figure(
        panels,
        x_label=f"answered, % of the group's {scores.unit}",
        target=scores.record["headline_target"],
        points=points,
    )
    title, sentence = "Risk and coverage by group", _sentence(scores, points)
    wide = len(panels) > 1
    return make_panel(
        scores, "group_curves", title, sentence, figure, table=shown_group_curves(frame), wide=wide
    )


def _points(scores: Scores) -> pd.DataFrame:
    """Return where the approved threshold puts each group that has a rate there."""
    rows = scores.shown("groups")
    if rows.empty:
        return rows
    rows = rows.set_index(["column", "group"])
    referred, wrong = (rows[rows["quantity"] == each] for each in ("referred", "wrong"))
    points = wrong[["share", "lower", "upper"]].rename(columns={"share": "risk"})
    return points.assign(coverage=1 - referred["share"]).dropna(subset=["risk", "coverage"])


def _largest(kind: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the curves of the largest groups of a kind, as many as can be told apart."""
    sizes = kind.groupby("group", sort=False)["patients"].first()
    shown = kind[kind["group"].isin(sizes.nlargest(MOST_CURVES).index)]
    return {
        f"{group} (n = {sizes[group]:,})": own for group, own in shown.groupby("group", sort=False)
    }


def _sentence(scores: Scores, points: pd.DataFrame) -> str:
    whose = f"{heading(scores.model)}."
    rules = (
        f"Curves begin at {RATE_FROM} answered; groups of fewer than {RATE_FROM} have none, masked "
        f"ones nothing, and of one kind at most {MOST_CURVES} are drawn. Curves that cross or lie "
        "near one another show no equality."
    )
    if points.empty:
        return f"{whose} No threshold puts a group where it has a rate: none is marked. {rules}"
    ordered = points.sort_values("risk", kind="stable")
    low, high = (_words(ordered.iloc[[place]]) for place in (0, -1))
    found = f"wrong among the answered runs from {low} to {high}" if len(points) > 1 else (
        f"wrong among the answered is {low}"
    )  # fmt: skip
    return (
        f"{whose} One threshold for all groups, the approved, is marked with exact 95% intervals: "
        f"{found}. {rules}"
    )


def _words(place: pd.DataFrame) -> str:
    point = place.reset_index().iloc[0]
    column, group = point["column"], point["group"]
    span = interval(point["lower"], point["upper"])
    return f"{percent(point['risk'])} ({column.replace('_', ' ')} {group}; {span})"
