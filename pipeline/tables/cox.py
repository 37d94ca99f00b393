"""Cox's line of every class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.metrics.cox import cox_lines_by_class
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SEED, count, number, text
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.spec import TableSpec


def cox_table(runs: Sequence[Run], classes: Sequence[str]) -> pd.DataFrame:
    """Return Cox's line of every class against the rest, of every run and calibrator.

    Columns loss, seed, calibrator, class, cases, slope, intercept, intercept_at_slope_one, reason:
    why there is no line, where there is none.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        labels = run.test.predictions.labels
        for calibrator, log_probabilities in run.test.log_probabilities.items():
            lines = cox_lines_by_class(log_probabilities, labels)
            for label, (name, line) in enumerate(zip(classes, lines, strict=True)):
                key = {"loss": run.loss, "seed": run.seed, "calibrator": calibrator}
                key |= {"class": name, "cases": int((labels == label).sum())}
                found = {"reason": line} if isinstance(line, str) else vars(line)
                rows.append(key | found)
    columns = ("slope", "intercept", "intercept_at_slope_one", "reason")
    return pd.DataFrame(rows, columns=list(dict.fromkeys([*rows[0], *columns])))


COX = TableSpec(
    name="cox",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        CLASS,
        count("cases", disclosure="count"),
        number("slope", disclosure="rate"),
        number("intercept", disclosure="rate"),
        number("intercept_at_slope_one", disclosure="rate"),
        text("reason", disclosure="rate"),
    ),
    compute=lambda experiment: cox_table(experiment.runs, experiment.classes),
    disclose=by_class,
)
