"""Prediction sets: how many classes must be left open to hold the true one so often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.metrics.intervals import LEVEL
from pipeline.metrics.prediction_sets import PREDICTION_SETS as MAKERS
from pipeline.metrics.prediction_sets import score_sets
from pipeline.metrics.shares import Share
from pipeline.tables.parts.classes import class_visibilities, in_order
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SEED, count, number, share, text
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import MASKED, counted, interval, percent, target_text

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


def shown_prediction_sets(scores: Scores) -> Table | None:
    """Return what the sets of each method and promise hold; None where there are none."""
    if scores.frame("prediction_sets").empty:
        return None
    every = _of_the_model(scores, scores.frame("prediction_sets"))
    frame, judged = every[every["class"] == ""], _classes_judged(scores, every)
    rows = [
        (
            Cell(PROMISES[row["method"]]),
            Cell(target_text(row["level"])),
            Cell(row["calibrator"]),
            _covered(row),
            _least(judged, row),
            Cell(f"{row['mean_size']:.2f}"),
            Cell(f"{row['single']:,.0f}", percent(row["single"] / row["cases"])),
            Cell(f"{row['empty']:,.0f}"),
        )
        for _, row in frame.iterrows()
    ]
    return Table(
        name="prediction_sets",
        caption=f"Split-conformal prediction sets of "
        f"{scores.headline['loss']}, seed {scores.headline['seed']}: "
        f"{counted(int(frame['cases'].iloc[0]), 'test images')}. "
        f"{_sentence(scores, frame, judged)} {kept_sentence(every)} {_promise(scores)}",
        columns=(
            Heading("Sets", numeric=False),
            Heading("Level"),
            Heading("Calibrator", numeric=False),
            Heading("Contain the true class", "images"),
            Heading("Lowest coverage of a class", "of those with a rate"),
            Heading("Classes in a set", "mean"),
            Heading("One class in the set", "images"),
            Heading("Empty", "images"),
        ),
        rows=tuple(rows),
        frame=frame,
        headings=3,
    )


def shown_prediction_sets_by_class(scores: Scores) -> Table | None:
    """Return how often sets hold each class, under both promises, as calibrated."""
    if scores.frame("prediction_sets").empty:
        return None
    every = _of_the_model(scores, scores.frame("prediction_sets"))
    frame = in_order(scores, every[every["class"] != ""])
    shown = class_visibilities(scores)
    rows = pick(frame, calibrator=scores.record["headline_calibrator"])
    promises = list(dict.fromkeys(zip(rows["method"], rows["level"], strict=True)))
    return Table(
        name="prediction_sets_by_class",
        caption="How often the sets contain each true class, after "
        f"{scores.record['headline_calibrator']}, with exact 95% intervals.",
        columns=(
            Heading("True class", numeric=False),
            *(Heading(PROMISES[method], target_text(level)) for method, level in promises),
        ),
        rows=tuple(
            (Cell(str(name)), *_class_cells(own, promises, shown[str(name)]))
            for name, own in rows.groupby("class", sort=False)
        ),
        frame=frame.astype(dict.fromkeys(("cases", "covered"), "Int64")),
    )


def _class_cells(
    own: pd.DataFrame, promises: Sequence[tuple[str, float]], visibility: str
) -> tuple[Cell, ...]:
    if visibility == "masked":
        return (Cell(MASKED),) * len(promises)
    rows = (pick(own, method=method, level=level).iloc[0] for method, level in promises)
    return tuple(_covered(row, rate=visibility == "full") for row in rows)


def _covered(row: pd.Series, *, rate: bool = True) -> Cell:
    share = f"{percent(row['coverage'])} " if rate else ""
    span = interval(row["lower"], row["upper"])
    return Cell(f"{row['covered']:,.0f} of {row['cases']:,.0f}", f"{share}({span})")


def _classes_judged(scores: Scores, every: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of classes that have patients enough for a rate."""
    return every[every["class"].map(class_visibilities(scores)) == "full"]


def _least(judged: pd.DataFrame, row: pd.Series) -> Cell:
    classes = pick(judged, **{key: row[key] for key in OF_A_ROW})
    if classes.empty:
        return Cell("–")
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
    calibrator = scores.record["headline_calibrator"]
    return f"After {calibrator}, {' and '.join(words)}."


def _of_the_model(scores: Scores, every: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the loss and seed shown, under every calibrator."""
    return pick(every, loss=scores.headline["loss"], seed=scores.headline["seed"])


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
    section="sets",
    show=lambda scores: [shown_prediction_sets(scores), shown_prediction_sets_by_class(scores)],
)
