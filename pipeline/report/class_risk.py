"""How often each class is missed, if all of it is answered and if only its surest cases are."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.report.classes import class_visibilities, in_order, training_cases
from pipeline.report.scores import Scores, pick
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import (
    MASKED,
    missing,
    number_text,
    percent,
    scaled,
    share_of,
    target_text,
)

COUNTS = ("cases", "missed")
SUREST = (90, 80)
"""Shares of a class's own cases, in percent, whose misses are shown."""


def class_risk_table(scores: Scores) -> Table | None:
    """Return each class's miss rate against its own coverage; None where it was not computed."""
    if scores.class_risk is None:
        return None
    frame = in_order(scores, scores.class_risk).astype(dict.fromkeys(COUNTS, "Int64"))
    shown = class_visibilities(scores)
    pair = {key: scores.headline[key] for key in ("loss", "calibrator")}
    rows = pick(frame, **scores.headline, score="confidence")
    target = scores.record["headline_target"]
    return Table(
        name="class_risk",
        caption=f"Each class by itself: images of the class that are read as another, if all are "
        f"answered and if only the surest of the class are, by confidence; {pair['loss']} with "
        f"{pair['calibrator']}, seed {scores.headline['seed']}. "
        f"{_most_missed(scores, rows, shown)} {_intervals(scores)} {MASKED} masked: fewer than "
        f"{MASK_BELOW} test {scores.unit}, or shown they would give such a class away; below "
        f"{RATE_FROM}, counts alone.",
        columns=(
            Column("True class", numeric=False),
            Column("Training images"),
            Column("Missed", "of the test images, all answered"),
            *(Column(f"Missed among the surest {share}%") for share in SUREST),
            Column("Answered", f"with {target_text(target)} missed at most"),
            Column("AURC", "%, of the class"),
        ),
        rows=tuple(_cells(scores, row, shown[row["class"]]) for _, row in rows.iterrows()),
        frame=frame,
    )


def _cells(scores: Scores, row: pd.Series, visibility: str) -> tuple[Cell, ...]:
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
