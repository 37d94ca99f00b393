"""Risk-coverage curves of the classes with many, some and few training cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.metrics.long_tail import score_by_group
from pipeline.tables.parts.class_groups import grouped_classes, has_long_tail
from pipeline.tables.parts.column import CALIBRATOR, GROUP, LOSS, RULE, count, share
from pipeline.tables.parts.curves import MIN_ANSWERED, mean_over_seeds
from pipeline.tables.parts.run import Run, by_loss
from pipeline.tables.parts.spec import TableSpec


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
