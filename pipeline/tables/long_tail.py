"""What classes with many, some and few training cases each get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.metrics.long_tail import score_by_group
from pipeline.tables.parts.class_groups import grouped_classes, has_long_tail
from pipeline.tables.parts.column import CALIBRATOR, GROUP, LOSS, RULE, SEED, count, share
from pipeline.tables.parts.disclosure import Classes, blank, counts_of, firsts, masked_of
from pipeline.tables.parts.over_seeds import over_seeds
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec


def long_tail_table(
    runs: Sequence[Run], classes: Sequence[str], training_cases: Mapping[str, int]
) -> pd.DataFrame:
    """Return accuracy, ECE and AURC of the classes with many, some and few training cases.

    Columns loss, seed, calibrator, rule, group (many, medium, few), num_classes, cases (test cases
    of these classes), correct, accuracy, lower, upper (exact 95 %), ece, aurc. The rule is
    ``count`` (more than 100, fewer than 20) where that leaves both many and few, else ``tertile``.
    """
    rule, groups = grouped_classes(classes, training_cases)
    rows: list[dict[str, Any]] = []
    for run in runs:
        for calibrator, log_probabilities in run.test.log_probabilities.items():
            scored = score_by_group(log_probabilities, run.test.predictions.labels, groups)
            for group, found in scored.items():
                interval = found.accuracy.interval
                rows.append(
                    {"loss": run.loss, "seed": run.seed, "calibrator": calibrator, "rule": rule}
                    | {"group": group, "num_classes": found.num_classes}
                    | {"cases": found.accuracy.of, "correct": found.accuracy.count}
                    | {"accuracy": found.accuracy.rate}
                    | {"lower": interval.lower if interval else None}
                    | {"upper": interval.upper if interval else None}
                    | {"ece": found.ece, "aurc": found.aurc}
                )
    return pd.DataFrame(rows)


def _disclose(
    spec: TableSpec,
    table: pd.DataFrame,
    classes: Classes,  # noqa: ARG001
) -> pd.DataFrame:
    """Hide the groups of classes that few test cases have."""
    few = masked_of(firsts(table, "group", "cases"))
    return blank(table, counts_of(spec), table["group"].isin(few))


QUANTITIES = ("accuracy", "ece")
"""Columns that figure and page show."""


def shown_long_tail(scores: Scores, frame: pd.DataFrame) -> Table:
    """Return what each size of class gets under each loss; `frame` is of one calibrator."""
    losses = scores.record["losses"]
    rows = over_seeds(frame, ["loss", "group"], QUANTITIES)
    return rendered(
        "long_tail",
        f"By size of class in training, after {scores.calibrator}: {scores.spread_text}.",
        LONG_TAIL.only("loss", "group", "cases", *QUANTITIES),
        rows.sort_values("loss", key=lambda names: names.map(losses.index), kind="stable"),
        behind=frame,
    )


LONG_TAIL = TableSpec(
    name="long_tail",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        RULE,
        GROUP.shown_as("Classes"),
        count("num_classes"),
        count("cases", "Test cases", disclosure="count"),
        count("correct", disclosure="count"),
        share("accuracy", "Right", sd="accuracy_sd", disclosure="count"),
        share("lower", disclosure="count"),
        share("upper", disclosure="count"),
        share("ece", "ECE", sd="ece_sd", disclosure="count"),
        share("aurc", disclosure="count"),
    ),
    compute=lambda experiment: long_tail_table(
        experiment.runs, experiment.classes, experiment.card["counts"]["train"]
    ),
    when=has_long_tail,
    disclose=_disclose,
)
