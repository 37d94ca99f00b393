"""Risk-coverage curves of the classes with many, some and few training cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.metrics.long_tail import score_by_group
from pipeline.tables.parts.class_groups import grouped_classes, has_long_tail
from pipeline.tables.parts.column import CALIBRATOR, GROUP, LOSS, RULE, count, share
from pipeline.tables.parts.curves import MIN_ANSWERED, mean_over_seeds
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run, by_loss
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.risk_coverage import at_coverages, in_whole_percent


def long_tail_curves_table(
    runs: Sequence[Run],
    calibrators: Sequence[str],
    classes: Sequence[str],
    training_cases: Mapping[str, int],
) -> pd.DataFrame:
    """Return the risk-coverage curve of the classes with many, some and few training cases.

    Columns loss, calibrator, rule, group (as in the `long_tail_table`), cases, coverage (of the
    group's test cases), risk_mean, risk_sd, num_seeds: over seeds, on the grid of the
    `risk_coverage_table`, from 30 answered on. A group of fewer test cases has no rows.
    """
    rule, groups = grouped_classes(classes, training_cases)
    tables = []
    for loss, seeds in by_loss(runs):
        for calibrator in calibrators:
            scored = [
                score_by_group(
                    run.test.log_probabilities[calibrator], run.test.predictions.labels, groups
                )
                for run in seeds
            ]
            for group, first in scored[0].items():
                key: dict[str, Any] = {"loss": loss, "calibrator": calibrator, "rule": rule}
                key |= {"group": group, "cases": first.accuracy.of}
                curves = [each[group].curve for each in scored]
                table = pd.DataFrame(key | mean_over_seeds(curves))
                tables.append(table[table["coverage"] * table["cases"] >= MIN_ANSWERED])
    return pd.concat(tables, ignore_index=True)


SHOWN_COVERAGES = (0.5, 0.8, 0.9, 1.0)
"""Of the table that a page shows; the files hold the whole grid."""


def shown_long_tail_curves(scores: Scores, frame: pd.DataFrame) -> Table:
    """Return the risk of each size of class at a few coverages; `frame` is of one calibrator."""
    return rendered(
        "long_tail_curves",
        "Wrong among the answered of each size of class, by the share of its test cases "
        f"answered, after {scores.calibrator}: {scores.spread_text}; "
        f"– where fewer than {MIN_ANSWERED} are answered.",
        [GROUP.shown_as("Classes"), LOSS, count("cases", "Test cases")],
        in_whole_percent(frame),
        across=at_coverages(SHOWN_COVERAGES),
        behind=frame,
    )


LONG_TAIL_CURVES = TableSpec(
    name="long_tail_curves",
    columns=(
        LOSS,
        CALIBRATOR,
        RULE,
        GROUP,
        count("cases"),
        share("coverage", key=True),
        share("risk_mean"),
        share("risk_sd"),
        count("num_seeds"),
    ),
    compute=lambda experiment: long_tail_curves_table(
        experiment.runs,
        experiment.before_and_after,
        experiment.classes,
        experiment.card["counts"]["train"],
    ),
    when=has_long_tail,
)
