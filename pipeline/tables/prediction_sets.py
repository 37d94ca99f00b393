"""Prediction sets: how many classes must be left open to hold the true one so often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.metrics.intervals import LEVEL
from pipeline.metrics.prediction_sets import PREDICTION_SETS as MAKERS
from pipeline.metrics.prediction_sets import score_sets
from pipeline.metrics.shares import Share
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SEED, count, number, share, text
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.spec import TableSpec

SET_LEVELS = (0.90, 0.95)
"""Shares of cases whose set is to hold the true class."""


def prediction_sets_table(
    run: Run, calibrators: Sequence[str], classes: Sequence[str]
) -> pd.DataFrame:
    """Return how often sets made on the threshold cases hold the true class of the test cases.

    Columns loss, calibrator, seed, method (marginal, class_conditional), level, class (empty for
    all), cases, covered, coverage, lower, upper (exact 95 %), mean_size, single, empty (cases whose
    set holds one class, none; for all classes alone). The unit is the case, and the promise is over
    samples in which cases are drawn one by one. No rows without threshold cases.
    """
    rows: list[dict[str, Any]] = []
    held_out, test = run.threshold, run.test
    if held_out is None:
        return pd.DataFrame()
    for calibrator in calibrators:
        given = (held_out.log_probabilities[calibrator], held_out.predictions.labels)
        for method, make in MAKERS.items():
            for level in SET_LEVELS:
                sets = make(*given, test.log_probabilities[calibrator], level)
                scores = score_sets(sets, test.predictions.labels, LEVEL)
                key = run.key(calibrator) | {"method": method, "level": level}
                sizes = {"mean_size": scores.mean_size}
                sizes |= {"single": scores.single.count, "empty": scores.empty.count}
                rows.append(key | {"class": ""} | _flat(scores.covered) | sizes)
                rows += [
                    key | {"class": name} | _flat(found)
                    for name, found in zip(classes, scores.covered_by_class, strict=True)
                ]
    return pd.DataFrame(rows)


def _flat(found: Share) -> dict[str, float | int | None]:
    return {
        "cases": found.of,
        "covered": found.count,
        "coverage": found.rate,
        "lower": found.interval.lower if found.interval else None,
        "upper": found.interval.upper if found.interval else None,
    }


PREDICTION_SETS = TableSpec(
    name="prediction_sets",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        text("method", key=True),
        share("level", key=True),
        CLASS,
        count("cases", disclosure="count"),
        count("covered", disclosure="count"),
        share("coverage", disclosure="rate"),
        share("lower", disclosure="count"),
        share("upper", disclosure="count"),
        number("mean_size", disclosure="rate"),
        count("single", disclosure="rate"),
        count("empty", disclosure="rate"),
    ),
    compute=lambda experiment: prediction_sets_table(
        experiment.shown, experiment.before_and_after, experiment.classes
    ),
    disclose=by_class,
)
