"""Losses against calibrators: every metric's mean, spread and interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.metrics import METRICS, Kind, every_metric, metrics_shown
from pipeline.tables.parts.scores import Scores, calibrators_shown_first, pick
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.wording import RESAMPLED_ECE, metric_name, missing, scaled, target_text

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
    record = scores.record
    present = set(scores.frame("summary")["metric"])
    shown = [key for key in metrics if key in present]
    every = [(loss, each) for loss in record["losses"] for each in record["calibrators"]]
    pairs = [pair for pair in every if calibrators is None or pair[1] in calibrators]
    marks = _Marks.of(scores)
    rows = [
        (
            Cell(pair[0]),
            Cell(pair[1], marks.notes[pair[1]]),
            *(_metric_cell(marks.rows[(*pair, key)], marks) for key in shown),
        )
        for pair in pairs
    ]
    left_out = len(every) - len(pairs)
    if left_out:
        best = (_best_cell(marks, key, every) for key in shown)
        rows.append((Cell(f"best of all {len(every)}"), Cell(""), *best))
    headline = (record["headline_loss"], record["headline_calibrator"])
    return Table(
        name=name,
        caption=_caption(scores, left_out),
        columns=(
            Heading("Loss", numeric=False),
            Heading("Calibrator", numeric=False),
            *(_metric_column(key) for key in shown),
        ),
        rows=tuple(rows),
        frame=scores.frame("summary")[scores.frame("summary")["metric"].isin(shown)],
        headings=2,
        marked=frozenset({pairs.index(headline)}),
    )


@dataclass(frozen=True)
class _Marks:
    """What marks a cell, looked up once for all cells.

    Attributes
    ----------
    rows : dict
        The summary's rows by loss, calibrator and metric.
    best : dict
        Each metric's best mean; NaN where there is none.
    open : set
        Metric, loss and calibrator where the paired test over seeds leaves open that the best is
        no better.
    notes : dict
        What to know of a calibrator, by its name.
    """

    rows: dict[tuple[str, str, str], Any]
    best: dict[str, float]
    open: set[tuple[str, str, str]]
    notes: dict[str, str]

    @classmethod
    def of(cls, scores: Scores) -> _Marks:
        rows: dict[tuple[str, str, str], Any] = {}
        for row in scores.frame("summary").itertuples():
            rows[str(row.loss), str(row.calibrator), str(row.metric)] = row
        keeps = scores.frame("calibrators").groupby("calibrator")["preserves_argmax"].all()
        tested = scores.frame("comparisons")
        undecided = () if tested.empty else _undecided(tested)
        return cls(
            rows=rows,
            best={
                key: _best(scores.frame("summary"), key)
                for key in set(scores.frame("summary")["metric"])
            },
            open=set(undecided),
            notes={str(k): "" if kept else "may change the class" for k, kept in keeps.items()},
        )


def _undecided(comparisons: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Yield metric, loss and calibrator of the pairs not shown to be worse than the best.

    >>> names = {"metric": "ece", "loss": ["a", "b"], "calibrator": "ats"}
    >>> list(_undecided(pd.DataFrame(names | {"p_value_holm": [0.04, 0.06]})))
    [('ece', 'b', 'ats')]
    """
    rows = comparisons[comparisons["p_value_holm"] >= SIGNIFICANT]
    yield from zip(rows["metric"], rows["loss"], rows["calibrator"], strict=True)


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


def _metric_column(key: str) -> Heading:
    name = metric_name(key)
    arrow = {"higher": "↑ ", "lower": "↓ "}.get(name.better, "")
    return Heading(name.label, f"{arrow}{name.unit}".strip(), name.meaning)


def _metric_cell(row: Any, marks: _Marks) -> Cell:
    text = _mean_and_sd(row)
    ends = (row.lower, row.upper)
    span = "" if missing(row.lower) else "–".join(scaled(row.metric, end) for end in ends)
    if row.mean == marks.best[row.metric]:
        return Cell(text, span, mark="best")
    tied = (row.metric, row.loss, row.calibrator) in marks.open
    return Cell(text, span, mark="tied" if tied else "")


def _mean_and_sd(row: Any) -> str:
    text = scaled(row.metric, row.mean)
    return text if missing(row.sd) else f"{text} ±\u2009{scaled(row.metric, row.sd)}"


def _best_cell(marks: _Marks, key: str, pairs: Sequence[tuple[str, str]]) -> Cell:
    """Return a metric's best mean and the pair that has it, or how many share it."""
    found = [pair for pair in pairs if marks.rows[(*pair, key)].mean == marks.best[key]]
    if not found:
        return Cell("–")
    shared = f"{len(found)} pairs" if len(found) > 1 else ", ".join(found[0])
    return Cell(_mean_and_sd(marks.rows[(*found[0], key)]), shared)


def _best(summary: pd.DataFrame, key: str) -> float:
    """Return the best mean; NaN where no value is better, or all are the same."""
    means = pick(summary, metric=key)["mean"]
    better = metric_name(key).better
    if means.min() == means.max():
        return float("nan")
    if better == "higher":
        return means.max()
    return means.min() if better == "lower" else float("nan")
