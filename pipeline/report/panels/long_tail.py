"""Panels of the long tail: what classes with many, some and few training cases each get."""

from __future__ import annotations

import pandas as pd

from pipeline.figures import bars_figure, curve_panels_figure
from pipeline.method_names import heading, titled
from pipeline.metrics.group_shares import RATE_FROM
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.tables.long_tail import shown_long_tail
from pipeline.tables.long_tail_curves import shown_long_tail_curves
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.wording import percent

RULES = {"count": "training cases: more than 100, 20 to 100, fewer", "tertile": "tertiles"}
QUANTITIES = {"accuracy": "right, % of the group's cases", "ece": "ECE, % of the group's cases"}


def long_tail_panel(scores: Scores) -> Panel | None:
    """Return accuracy and calibration error by size of class; None without a long tail."""
    rows = pick(scores.frame("long_tail"), calibrator=scores.record["headline_calibrator"])
    if rows.empty:
        return None
    figure = bars_figure(rows, losses=shown_losses(scores), quantities=QUANTITIES)
    sentence = (
        f"Classes grouped by {RULES[rows['rule'].iloc[0]]}; after "
        f"{scores.calibrator}, "
        f"{scores.averaged(', bars of one standard deviation')}. Test cases as they come."
    )
    table = shown_long_tail(scores, rows)
    return make_panel(
        scores, "long_tail", "The long tail", sentence, figure, table=table, wide=True
    )


def long_tail_curves_panel(scores: Scores) -> Panel | None:
    """Return each size of class's risk-coverage curves; None without a long tail."""
    calibrator = scores.record["headline_calibrator"]
    rows = pick(scores.frame("long_tail_curves"), calibrator=calibrator)
    if rows.empty:
        return None
    figure = curve_panels_figure(
        {
            f"{group} (n = {part['cases'].iloc[0]:,})": {
                titled(loss): pick(part, loss=loss) for loss in shown_losses(scores)
            }
            for group, part in rows.groupby("group", sort=False)
        },
        x_label="answered, % of the group's cases",
        target=scores.record["headline_target"],
    )
    sentence = (
        f"{_ends(scores, rows)} After {scores.calibrator}; "
        f"{scores.averaged(', band of one standard deviation')}, from {RATE_FROM} answered on; "
        f"each group ranked by itself; a group of fewer than {RATE_FROM} test cases has no curve."
    )
    title = "Risk and coverage in the long tail"
    table = shown_long_tail_curves(scores, rows)
    return make_panel(scores, "long_tail_curves", title, sentence, figure, table=table, wide=True)


def _ends(scores: Scores, rows: pd.DataFrame) -> str:
    """Say how wrong the headline's loss is in each group, all answered and the surest half."""
    own = pick(rows, loss=scores.record["headline_loss"])
    words = []
    for group, part in own.groupby("group", sort=False):
        half = _nearest(part, 0.5)
        half_words = f", {percent(half['risk_mean'])} of the surest half" if (
            abs(half["coverage"] - 0.5) < 0.005
        ) else ""  # fmt: skip
        words.append(f"{group} {percent(part['risk_mean'].iloc[-1])}{half_words}")
    return f"{heading(scores.loss)}, wrong if all are answered: {'; '.join(words)}."


def _nearest(rows: pd.DataFrame, coverage: float) -> pd.Series:
    return rows.iloc[int((rows["coverage"] - coverage).abs().argmin())]
