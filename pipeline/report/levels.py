"""How far calibration goes: on average, in slope, along the curve, and class by class."""

from __future__ import annotations

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.tables.parts.classes import class_visibilities
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.wording import MASKED, counted, missing, percent, signed

IDEAL = {"gap": "0", "intercept": "0", "slope": "1"}
LEVELS = {
    "gap": "mean: confidence minus accuracy, points",
    "intercept": "weak: intercept",
    "slope": "weak: slope",
}


def levels_table(scores: Scores) -> Table | None:
    """Return the levels of calibration of the headline loss; None where they were not computed."""
    if scores.frame("levels").empty:
        return None
    frame = scores.shown("levels", every=["calibrator"])
    calibrators = list(frame["calibrator"].unique())
    values = {(row["quantity"], row["calibrator"]): row for _, row in frame.iterrows()}
    rows = [
        (
            Cell(label),
            Cell(IDEAL[quantity]),
            *(_level_cell(quantity, values[(quantity, each)]) for each in calibrators),
        )
        for quantity, label in LEVELS.items()
    ]
    for level, ideal, word in (
        ("moderate: the curve", "the diagonal", "see reliability"),
        ("strong: every patient", "–", "not assessable"),
    ):
        rows.append((Cell(level), Cell(ideal), *(Cell(word) for _ in calibrators)))
    return Table(
        name="levels",
        caption=f"Levels of calibration of {scores.record['headline_loss']}, with 95% patient "
        "bootstraps. A slope below 1 is too extreme, above 1 too timid.",
        columns=(
            Heading("Level", numeric=False),
            Heading("If calibrated"),
            *(Heading(calibrator) for calibrator in calibrators),
        ),
        rows=tuple(rows),
        frame=frame,
    )


def _level_cell(quantity: str, row: pd.Series) -> Cell:
    def write(number: float) -> str:
        return signed(100 * number) if quantity == "gap" else f"{number:.2f}".replace("-", "−")

    if missing(row["value"]):
        return Cell("–")
    ends = "" if missing(row["lower"]) else f"{write(row['lower'])} to {write(row['upper'])}"
    return Cell(write(row["value"]), ends)


def class_calibration_table(scores: Scores) -> Table | None:
    """Return each class's mean probability against its share; None where not computed."""
    if scores.frame("class_calibration").empty:
        return None
    own = scores.shown("class_calibration", every=["calibrator"])
    frame = own.sort_values("cases", ascending=False, kind="stable")
    shown = class_visibilities(scores)
    rows = [
        (Cell(row["class"]), Cell(row["calibrator"]), *_class_cells(row, shown[row["class"]]))
        for _, row in frame.iterrows()
    ]
    rare = sum(visibility != "full" for visibility in shown.values())
    return Table(
        name="class_calibration",
        caption="One class against the rest, common to rare: mean probability minus the class's "
        f"share, with 95% patient bootstraps. {counted(rare, 'classes')} too rare to judge "
        f"(fewer than {RATE_FROM} {scores.unit}; {MASKED} masked: fewer than {MASK_BELOW}, or "
        "shown they would give such a class away).",
        columns=(
            Heading("Class", numeric=False),
            Heading("Calibrator", numeric=False),
            Heading("Test cases"),
            Heading("Mean probability"),
            Heading("Share"),
            Heading("Gap", "points"),
            Heading("ECE", "of this class"),
        ),
        rows=tuple(rows),
        frame=frame.astype({"cases": "Int64"}),
        headings=2,
    )


def _class_cells(row: pd.Series, visibility: str) -> tuple[Cell, ...]:
    if visibility == "masked":
        return (Cell(MASKED),) * 5
    if visibility == "counts":
        return (Cell(f"{row['cases']:,.0f}"), *(Cell("–"),) * 4)
    span = f"{signed(100 * row['gap_lower'])} to {signed(100 * row['gap_upper'])}"
    return (
        Cell(f"{row['cases']:,.0f}"),
        Cell(percent(row["mean_probability"])),
        Cell(percent(row["share"])),
        Cell(signed(100 * row["gap"]), "" if missing(row["gap_lower"]) else span),
        Cell(percent(row["ece"], 2)),
    )
