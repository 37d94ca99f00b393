"""Prediction sets: how often they hold the true class, and how many classes they leave open."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.report.classes import class_visibilities, in_order
from pipeline.report.scores import Scores, pick
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import MASKED, counted, interval, percent, target_text

METHODS = {"marginal": "over all classes", "class_conditional": "class by class"}
KEYS = ["method", "level", "calibrator"]


def prediction_sets_table(scores: Scores) -> Table | None:
    """Return what the sets of each method and promise hold; None where there are none."""
    if scores.prediction_sets is None:
        return None
    every = _of_the_model(scores, scores.prediction_sets)
    frame, judged = every[every["class"] == ""], _classes_judged(scores, every)
    rows = [
        (
            Cell(METHODS[row["method"]]),
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
        caption=f"Sets of classes made to hold the true one so often (split conformal) of "
        f"{scores.headline['loss']}, seed {scores.headline['seed']}: "
        f"{counted(int(frame['cases'].iloc[0]), 'test images')}. "
        f"{_sentence(scores, frame, judged)} {kept_sentence(every)} {_promise(scores)}",
        columns=(
            Column("Promise", numeric=False),
            Column("Level"),
            Column("Calibrator", numeric=False),
            Column("Held the true class", "images"),
            Column("Least held class", "of those with a rate"),
            Column("Classes in a set", "mean"),
            Column("Of one class", "images"),
            Column("Empty", "images"),
        ),
        rows=tuple(rows),
        frame=frame,
        headings=3,
    )


def prediction_sets_by_class_table(scores: Scores) -> Table | None:
    """Return how often sets hold each class, under both promises, as calibrated."""
    if scores.prediction_sets is None:
        return None
    every = _of_the_model(scores, scores.prediction_sets)
    frame = in_order(scores, every[every["class"] != ""])
    shown = class_visibilities(scores)
    rows = pick(frame, calibrator=scores.record["headline_calibrator"])
    promises = list(dict.fromkeys(zip(rows["method"], rows["level"], strict=True)))
    return Table(
        name="prediction_sets_by_class",
        caption="How often the sets hold each true class, after "
        f"{scores.record['headline_calibrator']}, with exact 95% intervals. {MASKED} masked: fewer "
        f"than {MASK_BELOW} test {scores.unit}, or shown they would give such a class away; below "
        f"{RATE_FROM}, no rate.",
        columns=(
            Column("True class", numeric=False),
            *(Column(METHODS[method], target_text(level)) for method, level in promises),
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
    classes = pick(judged, **{key: row[key] for key in KEYS})
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
        classes = pick(judged, **{key: row[key] for key in KEYS})
        held = f"{METHODS[row['method']]} they held {percent(row['coverage'])}"
        if len(classes):
            least = classes.iloc[int(classes["coverage"].argmin())]
            held += f" and of {least['class']} {percent(least['coverage'])}"
        words.append(held)
    level = target_text(rows["level"].iloc[0])
    calibrator = scores.record["headline_calibrator"]
    return f"After {calibrator}, promised {level} {', promised '.join(words)}."


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
        "The promise is over samples of the same population, drawn image by image; only “class by "
        "class” makes it to every class."
    )
    if scores.unit == "cases":
        return f"{promise} Intervals are exact."
    return f"{promise} Intervals are exact for images that were independent; a patient's are not."
