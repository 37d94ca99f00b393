"""Risk-coverage curves averaged over seeds on a common grid."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.tables.parts.column import CALIBRATOR, LOSS, count, share
from pipeline.tables.parts.curves import CaseLosses, case_curve, errors, mean_over_seeds
from pipeline.tables.parts.run import Run, by_loss
from pipeline.tables.parts.spec import TableSpec


def risk_coverage_table(runs: Sequence[Run], losses: CaseLosses = errors) -> pd.DataFrame:
    """Return the selective risk of cases on a grid of coverages: mean and sd over seeds.

    Columns loss, calibrator, coverage, risk_mean, risk_sd (empty for one seed), num_seeds. At each
    coverage of the grid stands the risk at the smallest attained coverage that is not less.
    """
    rows = []
    for loss, seeds in by_loss(runs):
        for calibrator in seeds[0].calibrators:
            curves = [case_curve(run.test, calibrator, losses) for run in seeds]
            key = {"loss": loss, "calibrator": calibrator}
            rows.append(pd.DataFrame(key | mean_over_seeds(curves)))
    return pd.concat(rows, ignore_index=True)


RISK_COVERAGE = TableSpec(
    name="risk_coverage",
    columns=(
        LOSS,
        CALIBRATOR,
        share("coverage", key=True),
        share("risk_mean"),
        share("risk_sd"),
        count("num_seeds"),
    ),
    compute=lambda experiment: risk_coverage_table(experiment.runs),
    required=True,
)
