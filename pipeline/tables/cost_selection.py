"""How well each score keeps costly errors from being answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.metrics.case_costs import Costs
from pipeline.metrics.selective import selective_summary
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SCORE, SEED, metric, number, share
from pipeline.tables.parts.over_seeds import over_seeds
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.selection_scores import POINTS, selection_scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.stated_costs import costs_are_stated, scaled_costs
from pipeline.tables.parts.wording import counted, metric_name


def cost_selection_table(runs: Sequence[Run], costs: Costs) -> pd.DataFrame:
    """Return how well each score keeps costly errors from being answered.

    Columns loss, seed, calibrator, score, largest_cost, mean_cost (everything answered), then aurc,
    e_aurc, augrc, coverage_at_risk_* and risk_at_coverage_*, of cases; all but largest_cost as
    shares of it.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        for calibrator in run.test.log_probabilities:
            losses = scaled_costs(run.test, calibrator, costs)
            key = {"loss": run.loss, "seed": run.seed, "calibrator": calibrator}
            of_all = {"largest_cost": costs.max(), "mean_cost": losses.mean()}
            rows += [
                key | {"score": name} | of_all | selective_summary(values, losses, **POINTS)
                for name, values in selection_scores(run.test, calibrator)
            ]
    return pd.DataFrame(rows)


def shown_cost_selection(scores: Scores) -> Table:
    """Return how well each score keeps costly errors from being answered."""
    frame = scores.shown("cost_selection", every=["seed"])
    rows = over_seeds(frame, ["score"], ["mean_cost", "aurc", "augrc"])
    best = min(zip(rows["aurc"], rows["score"], strict=True))[1]
    return rendered(
        "cost_selection",
        f"What could decide which cases {scores.method} answers, "
        f"if errors cost what was stated: least by area is {best}. Shares of the largest cost, "
        f"{scores.spread_text}; {counted(scores.num_test_cases, 'test images')}.",
        [
            SCORE,
            metric("aurc", "mean_cost", label="Mean cost", unit="%, everything answered",
                   meaning="", sd="mean_cost_sd"),
            *(metric(key, label=f"{metric_name(key).label} of cost", sd=f"{key}_sd")
              for key in ("aurc", "augrc")),
        ],
        rows,
        behind=frame,
    )  # fmt: skip


COST_SELECTION = TableSpec(
    name="cost_selection",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        SCORE,
        number("largest_cost"),
        share("mean_cost"),
    ),
    compute=lambda experiment: cost_selection_table(experiment.runs, experiment.costs),
    metrics=True,
    when=costs_are_stated,
    section="scores",
    show=lambda scores: [shown_cost_selection(scores)],
)
