"""Losses against calibrators: every metric's mean, spread and interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics import METRICS, Kind, every_metric, metrics_shown
from pipeline.tables.parts.column import CALIBRATOR, LOSS, Across, Column, metric
from pipeline.tables.parts.rendering import cell, rendered
from pipeline.tables.parts.scores import Scores, calibrators_shown_first
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.wording import RESAMPLED_ECE, metric_name, target_text

PAIR = ["loss", "calibrator"]
SIGNIFICANT = 0.05


def comparison_table(scores: Scores) -> Table:
    """Return losses x the calibrators shown first, in the metrics of the first page.

    Where calibrators are left out a last row holds the best of all pairs, metric by metric.
    """
    shown = metrics_shown("comparison", scores.record["headline_target"])
    return _table(scores, "comparison", shown, calibrators_shown_first(scores))


def metrics_table(scores: Scores, kind: Kind) -> Table:
    """Return losses x calibrators in every metric of a kind."""
    of_kind = [name for name, metric in every_metric().items() if metric.kind == kind]
    return _table(scores, f"metrics_{kind}", of_kind)


def _table(
    scores: Scores, name: str, metrics: Sequence[str], calibrators: Sequence[str] | None = None
) -> Table:
    """Return mean ± standard deviation over seeds with the interval, the best marked."""
    summary = _marked(scores)
    summary = summary[summary["metric"].isin(metrics)]
    first = summary["calibrator"].isin(calibrators or scores.record["calibrators"])
    num_pairs = len(scores.record["losses"]) * len(scores.record["calibrators"])
    left_out = num_pairs - summary[first][PAIR].drop_duplicates().shape[0]
    best = _best_of_all(summary, num_pairs) if left_out else summary[:0]
    present = set(summary["metric"])
    return rendered(
        name,
        _caption(scores, left_out),
        [LOSS, _calibrators(scores)],
        pd.concat([summary[first], best]),
        across=Across("metric", [key for key in metrics if key in present], _metric_column),
        behind=summary.drop(columns=["mark", "of_pair"]),
        marked=scores.is_shown,
    )


def _marked(scores: Scores) -> pd.DataFrame:
    """Return the summary with each row's mark: best, tied (the test leaves it open) or none."""
    summary, tested = scores.frame("summary"), scores.frame("comparisons")
    best = {key: _best(str(key), rows["mean"]) for key, rows in summary.groupby("metric")}
    tied = pd.Series(False, index=summary.index)
    if len(tested):
        undecided = tested[tested["p_value_holm"] >= SIGNIFICANT]
        methods = [
            pd.MultiIndex.from_frame(each[[*PAIR, "metric"]]) for each in (summary, undecided)
        ]
        tied |= methods[0].isin(methods[1])
    mark = np.select([summary["mean"] == summary["metric"].map(best), tied], ["best", "tied"], "")
    return summary.assign(mark=mark, of_pair="")


def _best(key: str, means: pd.Series) -> float:
    """Return the best mean; NaN where no value is better, or all are the same."""
    better = metric_name(key).better
    if better not in ("higher", "lower") or means.min() == means.max():
        return float("nan")
    return float(means.max() if better == "higher" else means.min())


def _best_of_all(summary: pd.DataFrame, num_pairs: int) -> pd.DataFrame:
    """Return each metric's best row, which says the pair it is of, or how many share it."""
    best = summary[summary["mark"] == "best"]
    shared = best.groupby("metric")["mean"].transform("size")
    pair = best["loss"] + ", " + best["calibrator"]
    rows = best.assign(
        loss=f"best of all {num_pairs}",
        calibrator="",
        mark="",
        of_pair=pair.where(shared == 1, shared.astype(str) + " pairs"),
    )
    return rows.drop_duplicates("metric")


def _calibrators(scores: Scores) -> Column:
    """Return the column of calibrators, which says which of them may change the class."""
    keeps = scores.frame("calibrators").groupby("calibrator")["preserves_argmax"].all()

    def write(row: Mapping[str, Any]) -> Cell:
        name = row["calibrator"]
        return Cell(name, "" if keeps.get(name, default=True) else "may change the class")

    return CALIBRATOR.shown_as("Calibrator", write=write)


def _caption(scores: Scores, left_out: int) -> str:
    boot = scores.record["bootstrap"]
    more = f" {left_out} more pairs stand on a page of their own; marks are among all."
    ties = _ties_explained(scores)
    return (
        f"Losses and calibrators: {scores.spread_text}; "
        f"beneath, the {target_text(boot['level'])} interval of the mean from "
        f"{boot['num_resamples']:,} bootstrap resamples of {boot['unit']}s. {RESAMPLED_ECE} ★ best "
        "of its column; "
        f"the shaded row is the model of the first screen.{ties}{more if left_out else ''}"
        f"{_intervals_explained(scores)}{_left_out(scores)}"
    )


def _left_out(scores: Scores) -> str:
    """Say which metrics are not written where a class is masked; empty where none is."""
    hidden = [metric.label for metric in METRICS.values() if metric.weighs_classes]
    there = {metric_name(key).label for key in scores.frame("summary")["metric"]}
    if there & set(hidden):
        return ""
    named = f"{', '.join(hidden[:-1])} and {hidden[-1]}"
    return f" {named} are left out: they would give a masked class away."


def _intervals_explained(scores: Scores) -> str:
    """Say which pairs have an interval over patients, where not all have; empty where all have."""
    # Some metric has one: accuracy has none where nothing is read wrongly.
    pairs = scores.frame("summary").groupby(["loss", "calibrator"], sort=False)
    known = pairs["lower"].count() > 0
    if known.all() or not known.any():
        return ""
    wholly = [
        f"{each} with {', '.join(str(name) for name, has in found.items() if has)}"
        for each, level in (("all losses", "calibrator"), ("all calibrators", "loss"))
        if (found := known.groupby(level, sort=False).all()).any()
    ]
    return (
        f" Intervals over patients: {' and '.join(wholly)}; the other pairs show mean and standard "
        "deviation over seeds alone."
    )


def _ties_explained(scores: Scores) -> str:
    if scores.frame("comparisons").empty or len(scores.record["seeds"]) == 1:
        return ""
    return (
        f" ≈ not shown to be worse than the best (paired t-test over {scores.seeds_text}, "
        "Holm's correction): so few show large differences alone."
    )


def _metric_column(key: str) -> Column:
    """Return a metric's column; of the best of all pairs it says which that is."""
    known = metric_name(key)
    arrow = {"higher": "↑ ", "lower": "↓ "}.get(known.better, "")
    unit = f"{arrow}{known.unit}".strip()
    plain = metric(key, "mean", unit=unit, sd="sd", ends=("lower", "upper"), mark="mark")

    def write(row: Mapping[str, Any]) -> Cell:
        shown = cell(plain, row)
        return replace(shown, detail=row["of_pair"]) if row["of_pair"] else shown

    return replace(plain, write=write)
