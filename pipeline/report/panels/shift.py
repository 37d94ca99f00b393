"""Panels of damaged images and of other sites: calibration, and the threshold left as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.plots import ShiftColumn, ShiftSeries, shift_figure
from pipeline.report.panels.panel import Panel, make_panel, shown_losses
from pipeline.tables.parts.scores import Scores, headline_and_baseline, pick
from pipeline.tables.shift import CLEAN, NOT_COVERED, frozen_sentence, masked_views, shown_shift

CALIBRATION = {"accuracy": "right, % of the cases", "ece": "ECE, % of the cases"}
FROZEN = {"coverage": "answered, %", "risk": "wrong, % of the\nanswered"}
KINDS = {"corruption": "Damaged images", "site": "Another site"}


def shift_panels(scores: Scores) -> list[Panel]:
    """Return two panels a partner in scope: its calibration, and the threshold from home."""
    if scores.frame("shift").empty:
        return []
    panels = []
    for partner, rows in scores.frame("shift").groupby("partner", sort=False):
        panels += [
            _calibration_panel(scores, str(partner), rows),
            _frozen_panel(scores, str(partner), rows),
        ]
    return panels


def _calibration_panel(scores: Scores, partner: str, rows: pd.DataFrame) -> Panel:
    calibrator = scores.record["headline_calibrator"]
    rows = pick(rows, calibrator=calibrator)
    losses = headline_and_baseline(scores)
    columns = [
        ShiftColumn(
            title,
            places,
            [
                [_over_seeds(scores, pick(part, loss=loss), loss, key) for loss in losses]
                for key in CALIBRATION
            ],
            joined,
        )
        for title, places, part, joined in _columns(rows)
    ]
    figure = shift_figure(columns, labels=list(CALIBRATION.values()), x_label=_axis(rows))
    sentence = (
        f"{partner}, after {calibrator}, which was fitted at home: "
        f"{scores.averaged(', one standard deviation either way')}. “{CLEAN}” is the own test set."
    )
    title = f"{KINDS[rows['kind'].iloc[0]]}: accuracy and calibration"
    panel = make_panel(scores, f"shift_{partner}", title, sentence, figure)
    return replace(panel, wide=len(columns) > 2, table_elsewhere=f"shift_{partner}")


def _frozen_panel(scores: Scores, partner: str, rows: pd.DataFrame) -> Panel:
    """Return coverage above and risk below, at the threshold that was found at home."""
    rows = pick(rows, **scores.headline)
    target = scores.record["headline_target"]
    series = shown_losses(scores).index(scores.headline["loss"])
    columns = [
        ShiftColumn(title, places, [[_exact(scores, part, series, key)] for key in FROZEN], joined)
        for title, places, part, joined in _columns(rows)
    ]
    labels = list(FROZEN.values())
    figure = shift_figure(columns, labels=labels, x_label=_axis(rows), target=target)
    sentence = f"{NOT_COVERED} {frozen_sentence(scores, rows)}"
    title = f"{KINDS[rows['kind'].iloc[0]]}: the threshold left as it was"
    panel = make_panel(scores, f"frozen_{partner}", title, sentence, figure)
    return replace(panel, table=shown_shift(scores, partner, rows), wide=len(columns) > 2)


def _columns(rows: pd.DataFrame) -> Iterator[tuple[str, list[str], pd.DataFrame, bool]]:
    """Yield title, places and rows of each column: a corruption's severities, or all sites."""
    if (rows["kind"] == "site").all():
        masked = masked_views(rows)
        patients = rows.groupby("view", sort=False)["patients"].first()
        places = [
            f"{view}\n{'masked' if view in masked else f'n = {number:,.0f}'}"
            for view, number in patients.items()
        ]
        counts = {name: rows[name].fillna(0) for name in ("patients", "answered")}
        yield "", places, rows.assign(**counts), False
        return
    clean = rows[rows["view"] == CLEAN]
    for corruption, part in rows[rows["corruption"] != ""].groupby("corruption", sort=False):
        both = pd.concat([clean, part])
        severities = sorted(both["severity"].unique())
        places = [CLEAN if not severity else f"{severity}" for severity in severities]
        yield str(corruption), places, both.sort_values("severity", kind="stable"), True


def _axis(rows: pd.DataFrame) -> str:
    """Name what views are; every damaged view has as many cases."""
    if (rows["kind"] == "site").all():
        return "site"
    return f"severity, n = {rows['cases'].max():,.0f}"


def _over_seeds(scores: Scores, rows: pd.DataFrame, loss: str, key: str) -> ShiftSeries:
    """Return the mean over seeds, a standard deviation either way; none of fewer than thirty."""
    enough = rows[key].where(rows["patients"] >= RATE_FROM)
    spread = enough.groupby(rows["view"], sort=False).agg(["mean", "std"])
    mean, sd = (spread[name].to_numpy(float) for name in ("mean", "std"))
    sd = np.nan_to_num(sd)
    number = shown_losses(scores).index(loss)
    return ShiftSeries(loss, number, mean, np.maximum(0, mean - sd), mean + sd)


def _exact(scores: Scores, rows: pd.DataFrame, series: int, key: str) -> ShiftSeries:
    """Return one seed's numbers: of ten to twenty-nine their interval alone, of fewer nothing."""
    of = rows["answered"] if key == "risk" else rows["patients"]
    ends = ("risk_lower", "risk_upper") if key == "risk" else ("coverage", "coverage")
    hidden = (rows["patients"] < MASK_BELOW) | (of < (MASK_BELOW if key == "risk" else RATE_FROM))
    value = rows[key].where(of >= RATE_FROM).to_numpy(float)
    lower, upper = (rows[name].mask(hidden).to_numpy(float) for name in ends)
    return ShiftSeries(scores.headline["loss"], series, value, lower, upper)
