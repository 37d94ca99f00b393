"""How well each score sorts right from wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics import metrics_shown
from pipeline.metrics.selective import selective_summary
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SCORE, SEED
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.selection_scores import POINTS, selection_scores
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import metric_name, missing, scaled, target_text


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


def shown_selection(scores: Scores) -> Table | None:
    """Return how well other scores rank the headline pair's cases; None where not computed."""
    if scores.frame("selection").empty:
        return None
    record = scores.record
    pair = {"loss": record["headline_loss"], "calibrator": record["headline_calibrator"]}
    rows = scores.shown("selection", every=["seed"])
    wanted = metrics_shown("selection", record["headline_target"])
    keys = [key for key in wanted if key in rows.columns]
    spread = rows.groupby("score", sort=False)[keys].agg(["mean", "std"])
    cells = [
        (Cell(str(score)), *(_mean_cell(key, values[(key, "mean")], values[(key, "std")])
                             for key in keys))
        for score, values in spread.iterrows()
    ]  # fmt: skip
    return Table(
        name="selection",
        caption=f"What else could decide which cases {pair['loss']} with {pair['calibrator']} "
        f"answers: {scores.spread_text}. Confidence decides at the target of "
        f"{target_text(record['headline_target'])}; the others are for comparison.",
        columns=(
            Heading("Score", numeric=False),
            *(Heading(metric_name(key).label, metric_name(key).unit) for key in keys),
        ),
        rows=tuple(cells),
        frame=rows,
    )


def _mean_cell(key: str, mean: float, sd: float) -> Cell:
    return Cell(scaled(key, mean) if missing(sd) else f"{scaled(key, mean)} ± {scaled(key, sd)}")


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
