"""How each class fares as more is answered: the share of its own cases that is read wrongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.selective import selective_summary
from pipeline.tables.parts.classes import class_visibilities, in_order, training_cases
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SCORE, SEED, count
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.selection_scores import POINTS, selection_scores
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import (
    MASKED,
    missing,
    number_text,
    percent,
    scaled,
    share_of,
    target_text,
)


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


def shown_class_risk(scores: Scores) -> Table | None:
    """Return each class's miss rate against its own coverage; None where it was not computed."""
    if scores.frame("class_risk").empty:
        return None
    frame = in_order(scores, scores.frame("class_risk")).astype(dict.fromkeys(COUNTS, "Int64"))
    shown = class_visibilities(scores)
    pair = {key: scores.headline[key] for key in ("loss", "calibrator")}
    rows = pick(frame, **scores.headline, score="confidence")
    target = scores.record["headline_target"]
    return Table(
        name="class_risk",
        caption="Miss rate of each class: the share of its images that is read as another class, "
        f"if all are answered and if only its surest are, by confidence; {pair['loss']} with "
        f"{pair['calibrator']}, seed {scores.headline['seed']}. "
        f"{_most_missed(scores, rows, shown)} {_intervals(scores)}",
        columns=(
            Heading("True class", numeric=False),
            Heading("Training images"),
            Heading("Missed", "of the test images, all answered"),
            *(Heading(f"Missed among the surest {share}%") for share in SUREST),
            Heading("Answered", f"with {target_text(target)} missed at most"),
            Heading("AURC", "%, of the class"),
        ),
        rows=tuple(_class_cells(scores, row, shown[row["class"]]) for _, row in rows.iterrows()),
        frame=frame,
    )


def _class_cells(scores: Scores, row: pd.Series, visibility: str) -> tuple[Cell, ...]:
    critical = row["class"] in scores.dataset["critical_classes"]
    training = training_cases(scores)
    names = (
        Cell(row["class"], "critical" if critical else ""),
        Cell(number_text(training.get(row["class"])) if training else "–"),
    )
    if visibility == "masked":
        return (*names, *(Cell(MASKED),) * 5)
    if visibility == "counts":
        return (*names, Cell(f"{row['missed']:,} of {row['cases']:,}"), *(Cell("–"),) * 4)
    at_risk = f"coverage_at_risk_{100 * scores.record['headline_target']:g}"
    points = (*(f"risk_at_coverage_{share}" for share in SUREST), at_risk)
    return (
        *names,
        Cell(_missed(scores, row)),
        *(Cell(_rate(row.get(name))) for name in points),
        Cell(scaled("aurc", row["aurc"])),
    )


def _missed(scores: Scores, row: pd.Series) -> str:
    missed, cases = int(row["missed"]), int(row["cases"])
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
        f"Most often missed{among}: {most['class']}, {_missed(scores, most)}; among its surest "
        f"{SUREST[-1]}%, {surest}."
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
