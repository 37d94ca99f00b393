"""Curves as plain tables, one line a series, for `dvc plots show` and `dvc plots diff`."""

from __future__ import annotations

import pandas as pd

from pipeline.metrics.group_shares import RATE_FROM
from pipeline.report.panels.panel import shown_losses
from pipeline.tables.parts.scores import Scores, pick

DECIMALS = 4
"""Of a percentage: one in a million."""


def curve_tables(scores: Scores) -> dict[str, pd.DataFrame]:
    """Return an experiment's curves by name, each with `experiment`, `series` and two axes.

    ``risk_coverage``
        What is answered and what of it is wrong, in percent; one series a loss that figures show,
        after the headline's calibrator, from 30 answered on, means over seeds.
    ``reliability``
        Confidence and what is right, in percent, of bins of 30 and more; one series a calibrator:
        none, and the headline's, after the headline's loss.
    ``training``
        Epoch and validation accuracy in percent, means over seeds; one series a loss. Without rows
        where nobody recorded it.
    """
    tables = {
        "risk_coverage": _risk_coverage(scores),
        "reliability": _reliability(scores),
        "training": _training(scores),
    }
    for table in tables.values():
        table.insert(0, "experiment", scores.name)
    return {name: table.round(DECIMALS) for name, table in tables.items()}


def _risk_coverage(scores: Scores) -> pd.DataFrame:
    rows = pick(scores.frame("risk_coverage"), calibrator=scores.record["headline_calibrator"])
    rows = rows[rows["coverage"] * scores.num_test_cases >= RATE_FROM]
    rows = rows[rows["loss"].isin(shown_losses(scores))]
    return pd.DataFrame(
        {
            "series": rows["loss"],
            "answered": 100 * rows["coverage"],
            "wrong": 100 * rows["risk_mean"],
        }
    )


def _reliability(scores: Scores) -> pd.DataFrame:
    rows = pick(scores.frame("reliability"), loss=scores.record["headline_loss"])
    rows = rows[rows["calibrator"].isin(scores.before_and_after)]
    rows = rows[rows["count"] >= RATE_FROM]
    return pd.DataFrame(
        {
            "series": rows["calibrator"],
            "confidence": 100 * rows["confidence"],
            "right": 100 * rows["accuracy"],
        }
    )


def _training(scores: Scores) -> pd.DataFrame:
    history = scores.frame("history")
    if "val_accuracy" not in history:
        return pd.DataFrame(columns=["series", "epoch", "validation_accuracy"])
    known = history[history["loss"].isin(shown_losses(scores))].dropna(subset="val_accuracy")
    means = known.groupby(["loss", "epoch"], sort=False)["val_accuracy"].mean().reset_index()
    return pd.DataFrame(
        {
            "series": means["loss"],
            "epoch": means["epoch"],
            "validation_accuracy": 100 * means["val_accuracy"],
        }
    )
