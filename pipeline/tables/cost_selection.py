"""How well each score keeps costly errors from being answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.metrics.case_costs import Costs
from pipeline.metrics.selective import selective_summary
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SCORE, SEED, number, share
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.selection_scores import POINTS, selection_scores
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.stated_costs import costs_are_stated, scaled_costs
from pipeline.tables.parts.wording import counted, metric_name, missing, scaled


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


def shown_cost_selection(scores: Scores) -> Table | None:
    """Return how well each score keeps costly errors from being answered; None without costs."""
    if scores.frame("cost_selection").empty:
        return None
    pair = {key: scores.headline[key] for key in ("loss", "calibrator")}
    frame = scores.shown("cost_selection", every=["seed"])
    keys = ("mean_cost", "aurc", "augrc")
    groups = frame.groupby("score", sort=False)
    best = min((own["aurc"].mean(), str(score)) for score, own in groups)[1]
    return Table(
        name="cost_selection",
        caption=f"What could decide which cases {pair['loss']} with {pair['calibrator']} answers, "
        f"if errors cost what was stated: least by area is {best}. Shares of the largest cost, "
        f"{scores.spread_text}; {counted(scores.num_test_cases, 'test images')}.",
        columns=(
            Heading("Score", numeric=False),
            Heading("Mean cost", "%, everything answered"),
            *(Heading(f"{metric_name(key).label} of cost", "%") for key in keys[1:]),
        ),
        rows=tuple(
            (Cell(str(score)), *(_spread_cell(own[key]) for key in keys)) for score, own in groups
        ),
        frame=frame,
    )


def _spread_cell(values: pd.Series) -> Cell:
    mean, sd = scaled("aurc", values.mean()), values.std()
    return Cell(mean if missing(sd) else f"{mean} ± {scaled('aurc', sd)}")


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
