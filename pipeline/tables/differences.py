"""Every loss against the study's baseline, calibrator by calibrator."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.tables.parts.column import CALIBRATOR, LOSS, METRIC, count, number, text
from pipeline.tables.parts.pairing import by_metric, compare_with, comparison_columns
from pipeline.tables.parts.spec import TableSpec
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
                key = {"metric": metric, "calibrator": calibrator, "loss": loss}
                rows.append(key | {"baseline": baseline} | comparison_columns(found))
    return pd.DataFrame(rows)


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
)
