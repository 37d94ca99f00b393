"""How each class fares as more is answered: the share of its own cases that is read wrongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.selective import selective_summary
from pipeline.tables.parts.classes import (
    class_visibilities,
    in_order,
    training_images,
    true_class,
)
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SCORE, SEED, count, metric, share
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.selection_scores import POINTS, selection_scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import missing, percent, share_of, target_text


def class_risk_table(run: Run, calibrators: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """Return the areas and points of each class's own curve: its miss rate against its coverage.

    Columns loss, calibrator, seed, score (of `selection_scores`), class, cases (test cases of
    the class), missed (those read as another), then, among the cases of the class alone, aurc,
    e_aurc, augrc, coverage_at_risk_* and risk_at_coverage_*: for a disease, the share of the ill
    who are answered and told that they are not. Empty for a class without cases. What an attained
    threshold does to each class stands in `accepted_table`.
    """
    labels = run.test.predictions.labels
    rows: list[dict[str, Any]] = []
    for calibrator in calibrators:
        losses = 1 - np.asarray(run.test.top(calibrator).correct, dtype=int)
        for score, sureness in selection_scores(run.test, calibrator):
            for label, name in enumerate(classes):
                own = labels == label
                counts = {"cases": int(own.sum()), "missed": int(losses[own].sum())}
                key = run.key(calibrator) | {"score": score, "class": name}
                points = (
                    selective_summary(sureness[own], losses[own], **POINTS) if own.any() else {}
                )
                rows.append(key | counts | points)
    return pd.DataFrame(rows)


COUNTS = ("cases", "missed")

SUREST = (90, 80)
"""Shares of a class's own cases, in percent, whose misses are shown."""


def shown_class_risk(scores: Scores) -> Table:
    """Return each class's miss rate against its own coverage."""
    frame = in_order(scores, scores.frame("class_risk")).astype(dict.fromkeys(COUNTS, "Int64"))
    rows = pick(frame, **scores.headline, score="confidence")
    target = scores.record["headline_target"]
    points = {f"risk_at_coverage_{each}": f"Missed among the surest {each}%" for each in SUREST}
    return rendered(
        "class_risk",
        "Miss rate of each class: the share of its images that is read as another class, "
        f"if all are answered and if only its surest are, by confidence; {scores.model}. "
        f"{_most_missed(scores, rows, class_visibilities(scores))} {_intervals(scores)}",
        [
            true_class(scores),
            training_images(scores),
            CLASS_RISK.only("missed")[0].shown_as(
                "Missed",
                unit="of the test images, all answered",
                write=lambda row: _missed(scores, row),
            ),
            *(share(name, label, disclosure="rate") for name, label in points.items()),
            share(
                f"coverage_at_risk_{100 * target:g}",
                "Answered",
                unit=f"with {target_text(target)} missed at most",
                disclosure="rate",
            ),
            metric("aurc", unit="%, of the class", disclosure="rate"),
        ],
        rows,
        behind=frame,
    )


def _missed(scores: Scores, row: Mapping[Any, Any]) -> str:
    missed, cases = int(row["missed"]), int(row["cases"])
    # Where disclosure control left no rate, there is none here.
    if missing(row["aurc"]):
        return f"{missed:,} of {cases:,}"
    if scores.unit == "cases":
        return share_of(missed, cases)
    return f"{missed:,} of {cases:,} ({percent(missed / cases)})"


def _rate(value: float | None) -> str:
    return "–" if value is None or missing(value) else percent(value)


def _most_missed(scores: Scores, rows: pd.DataFrame, shown: Mapping[str, str]) -> str:
    judged = rows[rows["class"].map(shown) == "full"]
    if not judged["missed"].sum():
        if judged.empty:
            return ""
        return "No image of a class whose rate is shown is read as another."
    most = judged.iloc[int((judged["missed"] / judged["cases"]).argmax())]
    surest = _rate(most[f"risk_at_coverage_{SUREST[-1]}"])
    among = "" if len(judged) == len(rows) else " of the classes whose rate is shown"
    return (
        f"Most often missed{among}: {most['class']}, {_missed(scores, most.to_dict())}; among its "
        f"surest {SUREST[-1]}%, {surest}."
    )


def _intervals(scores: Scores) -> str:
    if scores.unit == "cases":
        return "Intervals are exact."
    return (
        "No interval: a patient's images are not independent. The intervals of patients stand with "
        "the scores of every group and class."
    )


CLASS_RISK = TableSpec(
    name="class_risk",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        SCORE,
        CLASS,
        count("cases", disclosure="count"),
        count("missed", disclosure="count"),
    ),
    compute=lambda experiment: class_risk_table(
        experiment.shown, experiment.before_and_after, experiment.classes
    ),
    metrics=True,
    disclose=by_class,
    section="classes",
    show=lambda scores: [shown_class_risk(scores)],
)
