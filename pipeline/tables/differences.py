"""Every loss against the study's baseline, calibrator by calibrator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.metrics import metrics_shown
from pipeline.tables.parts.column import CALIBRATOR, LOSS, METRIC, count, number, text
from pipeline.tables.parts.pairing import by_metric, compare_with, comparison_columns
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import metric_name, missing, scaled
from pipeline.tables.runs import RUNS


def differences_table(scores: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Return each loss against the study's baseline, calibrator by calibrator.

    Columns metric, calibrator, loss, baseline, mean_difference (loss less baseline), sd, num_pairs,
    lower, upper (Student's 95 % interval of the mean difference over seeds, of each loss alone),
    p_value, p_value_holm: corrected over the losses compared under that calibrator and metric.
    """
    rows: list[dict[str, Any]] = []
    for metric, values in by_metric(scores):
        for calibrator in dict.fromkeys(calibrator for _, calibrator in values):
            same = {method: seeds for method, seeds in values.items() if method[1] == calibrator}
            for (loss, _), found in compare_with(same, (baseline, calibrator)):
                key = {"metric": metric.name, "calibrator": calibrator, "loss": loss}
                rows.append(key | {"baseline": baseline} | comparison_columns(found))
    return pd.DataFrame(rows)


def shown_differences(scores: Scores, calibrators: Sequence[str]) -> Table | None:
    """Return each loss's difference to the baseline over seeds; None where not computed.

    Rows are of these calibrators; the frame behind them is of all, so that one file serves both.
    """
    if scores.frame("differences").empty:
        return None
    frame = scores.frame("differences")
    keys = [key for key in metrics_shown("ranking") if key in set(frame["metric"])]
    found = {(row.loss, row.calibrator, row.metric): row for row in frame.itertuples()}
    every = dict.fromkeys(zip(frame["loss"], frame["calibrator"], strict=True))
    pairs = [pair for pair in every if pair[1] in calibrators]
    more = "" if len(pairs) == len(every) else " The files hold the other calibrators too."
    rows = [
        (Cell(pair[0]), Cell(pair[1]), *(_difference(found.get((*pair, key)), key) for key in keys))
        for pair in pairs
    ]
    baseline = scores.record["baseline"]
    return Table(
        name="differences",
        caption=f"Difference to {baseline} with the same calibrator, seed by seed: "
        f"{_tested(scores)}{more}",
        columns=(
            Heading("Loss", numeric=False),
            Heading("Calibrator", numeric=False),
            *(Heading(metric_name(key).label, metric_name(key).unit) for key in keys),
        ),
        rows=tuple(rows),
        frame=frame,
        headings=2,
    )


def _tested(scores: Scores) -> str:
    if len(scores.record["seeds"]) == 1:
        return "of one seed, so that nothing could be tested."
    return (
        "mean ± standard deviation, and the p-value of a paired t-test after Holm's correction "
        f"over the losses. {scores.seeds_text} can show large differences alone."
    )


def _difference(row: Any | None, key: str) -> Cell:
    if row is None or missing(row.mean_difference):
        return Cell("–")
    value = scaled(key, row.mean_difference).replace("-", "−")
    text = value if value.startswith("−") else f"+{value}"
    if not missing(row.sd):
        text = f"{text} ±\u2009{scaled(key, row.sd)}"
    return Cell(text, "" if missing(row.p_value_holm) else _p_text(row.p_value_holm))


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
