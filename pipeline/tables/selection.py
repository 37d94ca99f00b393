"""How well each score sorts right from wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics import metrics_shown
from pipeline.metrics.selective import selective_summary
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SCORE, SEED, metric
from pipeline.tables.parts.over_seeds import over_seeds
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.selection_scores import POINTS, selection_scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import target_text


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


def shown_selection(scores: Scores) -> Table:
    """Return how well other scores rank the headline pair's cases."""
    target = scores.record["headline_target"]
    rows = scores.shown("selection", every=["seed"])
    keys = [key for key in metrics_shown("selection", target) if key in rows.columns]
    return rendered(
        "selection",
        f"What else could decide which cases {scores.method} "
        f"answers: {scores.spread_text}. Confidence decides at the target of "
        f"{target_text(target)}; the others are for comparison.",
        [SCORE, *(metric(key, sd=f"{key}_sd") for key in keys)],
        over_seeds(rows, ["score"], keys),
        behind=rows,
    )


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
    show=lambda scores: [shown_selection(scores)],
)
