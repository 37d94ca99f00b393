"""How well each score sorts right from wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.selective import selective_summary
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SCORE, SEED
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.selection_scores import POINTS, selection_scores
from pipeline.tables.parts.spec import TableSpec


def selection_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return how well each score sorts right from wrong: areas and points of its own curve.

    Columns loss, seed, calibrator, score (of `selection_scores`), then aurc, e_aurc, augrc,
    coverage_at_risk_* and risk_at_coverage_*, of cases, losses 0 and 1.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        for calibrator in run.test.log_probabilities:
            losses = 1 - np.asarray(run.test.top(calibrator).correct, dtype=int)
            for name, values in selection_scores(run.test, calibrator):
                key = {"loss": run.loss, "seed": run.seed, "calibrator": calibrator}
                rows.append(key | {"score": name} | selective_summary(values, losses, **POINTS))
    return pd.DataFrame(rows)


SELECTION = TableSpec(
    name="selection",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        SCORE,
    ),
    compute=lambda experiment: selection_table(experiment.runs),
    metrics=True,
)
