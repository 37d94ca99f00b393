"""Losses against calibrators: every metric's mean, spread and interval."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.report.scores import Scores, pick
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import metric_name, missing, scaled, target_text

SIGNIFICANT = 0.05
KINDS = {
    "selective": "aurc|augrc|coverage_at|risk_at",
    "calibration": "ece|mce|calibration|gap|truth",
    "accuracy": "",
}
"""Kinds of metric, each with words in the names of its metrics; the first that fits."""
SHOWN_METRICS = ("accuracy", "auroc", "nll", "brier", "ece", "classwise_ece", "aurc", "augrc")


def comparison_table(scores: Scores) -> Table:
    """Return losses x calibrators in the metrics of the first page."""
    target = f"coverage_at_risk_{100 * scores.record['headline_target']:g}"
    return _table(scores, "comparison", (*SHOWN_METRICS, target))


def metrics_table(scores: Scores, kind: str) -> Table:
    """Return losses x calibrators in every metric of a kind: a key of `KINDS`."""
    keys = [key for key in dict.fromkeys(scores.summary["metric"]) if kind_of(key) == kind]
    return _table(scores, f"metrics_{kind}", keys)


def kind_of(key: str) -> str:
    """Return what a metric measures, by the words in its name.

    >>> kind_of("nll"), kind_of("classwise_ece"), kind_of("e_aurc"), kind_of("risk_at_coverage_80")
    ('accuracy', 'calibration', 'selective', 'selective')
    """
    return next((kind for kind, word in KINDS.items() if re.search(word, key)), "accuracy")


def _table(scores: Scores, name: str, metrics: Sequence[str]) -> Table:
    """Return mean ± standard deviation over seeds with the interval, the best marked."""
    record = scores.record
    present = set(scores.summary["metric"])
    shown = [key for key in metrics if key in present]
    pairs = [(loss, each) for loss in record["losses"] for each in record["calibrators"]]
    values = {(row.loss, row.calibrator, row.metric): row for row in scores.summary.itertuples()}
    best = {key: _best(scores.summary, key) for key in shown}
    rows = []
    for loss, calibrator in pairs:
        cells = [_metric_cell(scores, values[(loss, calibrator, key)], best[key]) for key in shown]
        rows.append((Cell(loss), Cell(calibrator, _argmax_note(scores, calibrator)), *cells))
    headline = (record["headline_loss"], record["headline_calibrator"])
    boot = record["bootstrap"]
    return Table(
        name=name,
        caption="Losses and calibrators: mean ± standard deviation over "
        f"{scores.seeds_text}; beneath, the {target_text(boot['level'])} interval of the mean from "
        f"{boot['num_resamples']:,} bootstrap resamples of {boot['unit']}s. ★ best of its column; "
        f"the shaded row is the model of the first screen.{_ties_explained(scores)}",
        columns=(
            Column("Loss", numeric=False),
            Column("Calibrator", numeric=False),
            *(_metric_column(key) for key in shown),
        ),
        rows=tuple(rows),
        frame=scores.summary[scores.summary["metric"].isin(shown)],
        headings=2,
        marked=frozenset({pairs.index(headline)}),
    )


def _ties_explained(scores: Scores) -> str:
    if scores.comparisons is None or len(scores.record["seeds"]) == 1:
        return ""
    return (
        f" ≈ not shown to be worse than the best (paired t-test over {scores.seeds_text}, "
        "Holm's correction): so few show large differences alone."
    )


def _metric_column(key: str) -> Column:
    name = metric_name(key)
    arrow = {"higher": "↑ ", "lower": "↓ "}.get(name.better, "")
    return Column(name.label, f"{arrow}{name.unit}".strip(), name.meaning)


def _metric_cell(scores: Scores, row: Any, best: float) -> Cell:
    text = scaled(row.metric, row.mean)
    if not missing(row.sd):
        text = f"{text} ±\u2009{scaled(row.metric, row.sd)}"
    ends = (row.lower, row.upper)
    span = "" if missing(row.lower) else "–".join(scaled(row.metric, end) for end in ends)
    if row.mean == best:
        return Cell(text, span, mark="best")
    tied = _not_worse(scores, row.metric, row.loss, row.calibrator)
    return Cell(text, span, mark="tied" if tied else "")


def _not_worse(scores: Scores, metric: str, loss: str, calibrator: str) -> bool:
    """Return whether the paired test over seeds leaves open that the best is no better."""
    if scores.comparisons is None:
        return False
    rows = pick(scores.comparisons, metric=metric, loss=loss, calibrator=calibrator)
    return len(rows) == 1 and bool(rows["p_value_holm"].iloc[0] >= SIGNIFICANT)


def _best(summary: pd.DataFrame, key: str) -> float:
    """Return the best mean; NaN where no value is better, or all are the same."""
    means = pick(summary, metric=key)["mean"]
    better = metric_name(key).better
    if means.min() == means.max():
        return float("nan")
    if better == "higher":
        return means.max()
    return means.min() if better == "lower" else float("nan")


def _argmax_note(scores: Scores, calibrator: str) -> str:
    kept = pick(scores.calibrators, calibrator=calibrator)["preserves_argmax"].all()
    return "" if kept else "may change the class"
