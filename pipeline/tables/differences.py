"""Every loss against the study's baseline, calibrator by calibrator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from pipeline.method_names import named
from pipeline.metrics import metrics_shown
from pipeline.tables.parts.column import (
    CALIBRATOR,
    LOSS,
    METRIC,
    Across,
    Column,
    count,
    metric,
    number,
    text,
)
from pipeline.tables.parts.pairing import by_metric, compare_with, comparison_columns
from pipeline.tables.parts.rendering import cell, rendered
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import missing
from pipeline.tables.runs import RUNS


def differences_table(scores: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Return each loss against the study's baseline, calibrator by calibrator.

    Columns metric, calibrator, loss, baseline, mean_difference (loss less baseline), sd, num_pairs,
    lower, upper (Student's 95 % interval of the mean difference over seeds, of each loss alone),
    p_value, p_value_holm: corrected over the losses compared under that calibrator and metric.
    """
    rows: list[dict[str, Any]] = []
    for each, values in by_metric(scores):
        for calibrator in dict.fromkeys(calibrator for _, calibrator in values):
            same = {method: seeds for method, seeds in values.items() if method[1] == calibrator}
            for (loss, _), found in compare_with(same, (baseline, calibrator)):
                key = {"metric": each.name, "calibrator": calibrator, "loss": loss}
                rows.append(key | {"baseline": baseline} | comparison_columns(found))
    return pd.DataFrame(rows)


def shown_differences(scores: Scores, calibrators: Sequence[str]) -> Table:
    """Return each loss's difference to the baseline over seeds.

    Rows are of these calibrators; the frame behind them is of all, so that one file serves both.
    """
    frame = scores.frame("differences")
    keys = [key for key in metrics_shown("ranking") if key in set(frame["metric"])]
    shown = frame["calibrator"].isin(calibrators)
    more = "" if shown.all() else " The files hold the other calibrators too."
    return rendered(
        "differences",
        f"Difference to {named(scores.record['baseline'])} with the same calibrator, seed by seed: "
        f"{_tested(scores)}{more}",
        [LOSS, CALIBRATOR],
        frame[shown],
        across=Across("metric", keys, _difference),
        behind=frame,
    )


def _tested(scores: Scores) -> str:
    if len(scores.record["seeds"]) == 1:
        return "of one seed, so that nothing could be tested."
    return (
        "mean ± standard deviation, and the p-value of a paired t-test after Holm's correction "
        f"over the losses. {scores.seeds_text} can show large differences alone."
    )


def _difference(key: str) -> Column:
    """Return the column of one metric's differences, with their signs and p-values."""

    def write(row: Mapping[str, Any]) -> Cell:
        text = cell(plain, row).text
        p_value = row["p_value_holm"]
        return Cell(
            text if text.startswith("−") else f"+{text}",
            "" if missing(p_value) else _p_text(p_value),
        )

    plain = metric(key, "mean_difference", sd="sd")
    return replace(plain, write=write)


def _p_text(p_value: float) -> str:
    """Write a p-value.

    >>> _p_text(0.0421), _p_text(0.0002)
    ('p = 0.042', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


DIFFERENCES = TableSpec(
    name="differences",
    columns=(
        METRIC,
        CALIBRATOR,
        LOSS,
        text("baseline"),
        number("mean_difference"),
        number("sd"),
        count("num_pairs"),
        number("lower"),
        number("upper"),
        number("p_value"),
        number("p_value_holm"),
    ),
    compute=lambda experiment: differences_table(experiment.frame(RUNS), experiment.row.baseline),
    show=lambda scores: [shown_differences(scores, scores.record["calibrators"])],
)
