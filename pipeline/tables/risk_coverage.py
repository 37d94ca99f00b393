"""Risk-coverage curves averaged over seeds on a common grid."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.tables.parts.column import CALIBRATOR, LOSS, Across, count, share
from pipeline.tables.parts.curves import CaseLosses, case_curve, errors, mean_over_seeds
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run, by_loss
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import percent, plus_minus


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


SHOWN_COVERAGES = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Fixed before any result was seen."""


def shown_risk_coverage(scores: Scores) -> Table:
    """Return risk at eight coverages, one row a loss, after the headline calibrator."""
    calibrator = scores.record["headline_calibrator"]
    return shown_coverages(
        scores,
        pick(scores.frame("risk_coverage"), calibrator=calibrator),
        name="risk_coverage",
        caption=f"Wrong among the answered by share answered, after {scores.calibrator}: "
        f"{scores.spread_text}.",
    )


def shown_coverages(scores: Scores, frame: pd.DataFrame, *, name: str, caption: str) -> Table:
    """Return the risks of a frame at eight coverages, one row a loss."""
    losses = scores.record["losses"]
    ordered = frame.sort_values("loss", key=lambda names: names.map(losses.index), kind="stable")
    return rendered(
        name,
        caption,
        [LOSS],
        in_whole_percent(ordered),
        across=at_coverages(SHOWN_COVERAGES),
        behind=frame,
    )


def in_whole_percent(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its grid of coverages as whole numbers, which are found again."""
    return frame.assign(percent=(100 * frame["coverage"]).round().astype(int))


def at_coverages(coverages: Sequence[float]) -> Across:
    """Return one column a coverage of the grid, with the risk there."""
    return Across(
        "percent",
        [round(100 * coverage) for coverage in coverages],
        lambda coverage: share(
            "risk_mean",
            f"{coverage}%",
            unit="answered",
            write=lambda row: Cell(percent(row["risk_mean"]), plus_minus(row["risk_sd"])),
        ),
    )


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
