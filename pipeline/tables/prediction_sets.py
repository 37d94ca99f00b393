"""Prediction sets: how many classes must be left open to hold the true one so often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.metrics.intervals import LEVEL
from pipeline.metrics.prediction_sets import PREDICTION_SETS as MAKERS
from pipeline.metrics.prediction_sets import score_sets
from pipeline.metrics.shares import Share
from pipeline.tables.parts.classes import class_visibilities, in_order
from pipeline.tables.parts.column import (
    CALIBRATOR,
    CLASS,
    LOSS,
    SEED,
    Across,
    Column,
    count,
    number,
    share,
    text,
)
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import counted, interval, percent, target_text

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


PROMISES = {"marginal": "marginal", "class_conditional": "class-conditional"}

OF_A_ROW = ["method", "level", "calibrator"]


def shown_prediction_sets(scores: Scores) -> Table:
    """Return what the sets of each method and promise hold."""
    every = scores.shown("prediction_sets", every=["calibrator"])
    frame, judged = every[every["class"] == ""], _classes_judged(scores, every)
    return rendered(
        "prediction_sets",
        f"Split-conformal prediction sets of "
        f"{scores.loss}, seed {scores.headline['seed']}: "
        f"{counted(int(frame['cases'].iloc[0]), 'test images')}. "
        f"{_sentence(scores, frame, judged)} {kept_sentence(every)} {_promise(scores)}",
        [
            *PREDICTION_SETS.only("method", "level", "calibrator", "covered"),
            share(
                "least",
                "Lowest coverage of a class",
                unit="of those with a rate",
                write=lambda row: _least(judged, row),
            ),
            *PREDICTION_SETS.only("mean_size", "single", "empty"),
        ],
        frame.assign(share_single=frame["single"] / frame["cases"]),
        behind=frame,
    )


def shown_prediction_sets_by_class(scores: Scores) -> Table:
    """Return how often sets hold each class, under both promises, as calibrated."""
    every = scores.shown("prediction_sets", every=["calibrator"])
    frame = in_order(scores, every[every["class"] != ""])
    rows = pick(frame, calibrator=scores.record["headline_calibrator"])
    promise = rows["method"] + " " + rows["level"].map(target_text)
    return rendered(
        "prediction_sets_by_class",
        "How often the sets contain each true class, after "
        f"{scores.calibrator}, with exact 95% intervals.",
        [CLASS.shown_as("True class")],
        rows.assign(promise=promise),
        across=Across("promise", promise.unique().tolist(), _promised),
        behind=frame.astype(dict.fromkeys(("cases", "covered"), "Int64")),
    )


def _promised(promise: str) -> Column:
    """Return the column of one method and level: how often its sets contain a class."""
    method, level = promise.split(" ")
    (covered,) = PREDICTION_SETS.only("covered")
    return covered.shown_as(PROMISES[method], unit=level)


def _classes_judged(scores: Scores, every: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of classes that have patients enough for a rate."""
    return every[every["class"].map(class_visibilities(scores)) == "full"]


def _least(judged: pd.DataFrame, row: Mapping[str, Any]) -> Cell | str:
    classes = pick(judged, **{key: row[key] for key in OF_A_ROW})
    if classes.empty:
        return "–"
    least = classes.iloc[int(classes["coverage"].argmin())]
    span = interval(least["lower"], least["upper"])
    return Cell(percent(least["coverage"]), f"{least['class']} ({span})")


def _sentence(scores: Scores, frame: pd.DataFrame, judged: pd.DataFrame) -> str:
    """Say what each method holds at the first level, over all and of the least held class."""
    rows = pick(frame, calibrator=scores.record["headline_calibrator"])
    rows = rows[rows["level"] == rows["level"].iloc[0]]
    words = []
    for _, row in rows.iterrows():
        classes = pick(judged, **{key: row[key] for key in OF_A_ROW})
        sets = f"the {target_text(row['level'])} {PROMISES[row['method']]} sets"
        words.append(f"{sets} contain the true class in {percent(row['coverage'])} of images")
        if len(classes):
            least = classes.iloc[int(classes["coverage"].argmin())]
            words[-1] += f" (in {percent(least['coverage'])} of {least['class']})"
    return f"After {scores.calibrator}, {' and '.join(words)}."


def kept_sentence(every: pd.DataFrame) -> str:
    """Say where the whole interval lies below the level, over all classes and class by class.

    `every` has the rows of all classes, whose class is empty, and of each; masked ones count not.
    """
    known = every[every["upper"].notna()]
    below = known["upper"] < known["level"]
    whole = known["class"] == ""
    over_all, by_class = ((int(below[rows].sum()), int(rows.sum())) for rows in (whole, ~whole))
    if not below.any():
        return (
            f"Of {counted(over_all[1], 'intervals')} over all classes and {by_class[1]} of single "
            "classes none lies wholly below its level."
        )
    named = ", ".join(dict.fromkeys(known[below & ~whole]["class"]))
    return (
        f"The whole interval lies below the level in {over_all[0]} of {over_all[1]} over all "
        f"classes and in {by_class[0]} of {by_class[1]} of single classes"
        f"{f' ({named})' if named else ''}."
    )


def _promise(scores: Scores) -> str:
    promise = (
        "The coverage is promised on average over samples of the same population, drawn image by "
        "image; only class-conditional sets promise it for every class."
    )
    if scores.unit == "cases":
        return f"{promise} Intervals are exact."
    return f"{promise} Intervals are exact for images that were independent; a patient's are not."


PREDICTION_SETS = TableSpec(
    name="prediction_sets",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        text("method", "Sets", key=True, write=lambda row: PROMISES[row["method"]]),
        share("level", "Level", key=True, write=lambda row: target_text(row["level"])),
        CLASS,
        count("cases", disclosure="count"),
        count(
            "covered",
            "Contain the true class",
            unit="images",
            of="cases",
            rate="coverage",
            ends=("lower", "upper"),
            disclosure="count",
        ),
        share("coverage", disclosure="rate"),
        share("lower", disclosure="count"),
        share("upper", disclosure="count"),
        number("mean_size", "Classes in a set", unit="mean", digits=2, disclosure="rate"),
        count(
            "single", "One class in the set", unit="images", rate="share_single", disclosure="rate"
        ),
        count("empty", "Empty", unit="images", disclosure="rate"),
    ),
    compute=lambda experiment: prediction_sets_table(
        experiment.shown, experiment.before_and_after, experiment.classes
    ),
    disclose=by_class,
    section="sets",
    show=lambda scores: [shown_prediction_sets(scores), shown_prediction_sets_by_class(scores)],
)
