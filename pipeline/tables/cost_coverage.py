"""Mean cost of what is answered, by share answered."""

from functools import partial

from pipeline.tables.parts.column import CALIBRATOR, LOSS, count, share
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.stated_costs import costs_are_stated, scaled_costs
from pipeline.tables.risk_coverage import risk_coverage_table

COST_COVERAGE = TableSpec(
    name="cost_coverage",
    columns=(
        LOSS,
        CALIBRATOR,
        share("coverage", key=True),
        share("risk_mean"),
        share("risk_sd"),
        count("num_seeds"),
    ),
    compute=lambda experiment: risk_coverage_table(
        experiment.runs, partial(scaled_costs, costs=experiment.costs)
    ),
    when=costs_are_stated,
)
