"""Panel of the long tail: what classes with many, some and few training cases each get."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from pipeline.plots import BarPanel, BarSeries, bars_figure
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.report.scores import Scores, pick
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import missing, percent

QUANTITIES = {"accuracy": "right, % of the group's cases", "ece": "ECE, % of the group's cases"}


def long_tail_panel(scores: Scores) -> Panel | None:
    """Return accuracy and calibration error by size of class; None without a long tail."""
    if scores.long_tail is None:
        return None
    rows = pick(scores.long_tail, calibrator=scores.record["headline_calibrator"])
    groups = list(dict.fromkeys(rows["group"]))
    spread = rows.groupby(["loss", "group"], sort=False)[["accuracy", "ece"]].agg(["mean", "std"])
    panels = [
        BarPanel(label, [_series(spread, loss, groups, key) for loss in shown_losses(scores)])
        for key, label in QUANTITIES.items()
    ]
    cases = rows.groupby("group", sort=False)["cases"].first()
    names = [f"{group}\n(n = {cases[group]:,})" for group in groups]
    rule = rows["rule"].iloc[0]
    ruled = "training cases: more than 100, 20 to 100, fewer" if rule == "count" else "tertiles"
    sentence = (
        f"Classes grouped by {ruled}; after {scores.record['headline_calibrator']}, mean over "
        f"{scores.seeds_text}, bars of one standard deviation. Test cases as they "
        "come."
    )
    figure = bars_figure(panels, groups=names)
    panel = make_panel(scores, "long_tail", "The long tail", sentence, figure)
    return replace(panel, table=_table(scores, rows, spread), wide=True)


def _series(spread: pd.DataFrame, loss: str, groups: list[str], key: str) -> BarSeries:
    values = spread.loc[loss].loc[groups]
    return BarSeries(
        loss, values[(key, "mean")].to_numpy(float), values[(key, "std")].to_numpy(float)
    )


def _table(scores: Scores, rows: pd.DataFrame, spread: pd.DataFrame) -> Table:
    cases = rows.groupby("group", sort=False)["cases"].first()
    cells = [
        (
            Cell(loss),
            Cell(group),
            Cell(f"{cases[group]:,}"),
            *(_spread_cell(spread.loc[(loss, group)], key) for key in QUANTITIES),
        )
        for loss in scores.record["losses"]
        for group in cases.index
    ]
    return Table(
        name="long_tail",
        caption="By size of class in training, after "
        f"{scores.record['headline_calibrator']}: mean ± standard deviation over seeds.",
        columns=(
            Column("Loss", numeric=False),
            Column("Classes", numeric=False),
            Column("Test cases"),
            Column("Right"),
            Column("ECE"),
        ),
        rows=tuple(cells),
        frame=rows,
        headings=2,
    )


def _spread_cell(values: pd.Series, key: str) -> Cell:
    mean, sd = float(values[(key, "mean")]), float(values[(key, "std")])
    return Cell(percent(mean) if missing(sd) else f"{percent(mean)} ± {percent(sd)}")
