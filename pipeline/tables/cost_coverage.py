"""Mean cost of what is answered, by share answered."""

from __future__ import annotations

from functools import partial

import pandas as pd

from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.stated_costs import costs_are_stated, scaled_costs
from pipeline.tables.parts.wording import counted
from pipeline.tables.risk_coverage import RISK_COVERAGE, risk_coverage_table, shown_coverages


def shown_cost_coverage(scores: Scores, frame: pd.DataFrame) -> Table:
    """Return the mean cost of the answered at eight coverages; `frame` is of one calibrator."""
    return shown_coverages(
        scores,
        frame,
        name="cost_coverage",
        caption="Mean cost of the answered, as a share of the largest, by share answered, after "
        f"{scores.calibrator}: {scores.spread_text}; "
        f"{counted(scores.num_test_cases, 'test images')}.",
    )


COST_COVERAGE = TableSpec(
    name="cost_coverage",
    columns=RISK_COVERAGE.columns,
    compute=lambda experiment: risk_coverage_table(
        experiment.runs, partial(scaled_costs, costs=experiment.costs)
    ),
    when=costs_are_stated,
)
