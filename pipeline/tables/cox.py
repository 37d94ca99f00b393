"""Cox's line of every class against the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from pipeline.metrics.cox import cox_lines_by_class
from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.tables.parts.classes import class_visibilities, in_order
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SEED, Column, count, number, text
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.over_seeds import over_seeds
from pipeline.tables.parts.rendering import cell, rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import MASKED, counted


def cox_table(runs: Sequence[Run], classes: Sequence[str]) -> pd.DataFrame:
    """Return Cox's line of every class against the rest, of every run and calibrator.

    Columns loss, seed, calibrator, class, cases, slope, intercept, intercept_at_slope_one, reason:
    why there is no line, where there is none.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        labels = run.test.predictions.labels
        for calibrator, log_probabilities in run.test.log_probabilities.items():
            lines = cox_lines_by_class(log_probabilities, labels)
            for label, (name, line) in enumerate(zip(classes, lines, strict=True)):
                key = {"loss": run.loss, "seed": run.seed, "calibrator": calibrator}
                key |= {"class": name, "cases": int((labels == label).sum())}
                found = {"reason": line} if isinstance(line, str) else vars(line)
                rows.append(key | found)
    columns = ("slope", "intercept", "intercept_at_slope_one", "reason")
    return pd.DataFrame(rows, columns=list(dict.fromkeys([*rows[0], *columns])))


LINE = {
    "intercept_at_slope_one": ("Intercept", "0 if calibrated"),
    "slope": ("Slope", "1 if calibrated"),
}


def shown_cox(scores: Scores) -> Table:
    """Return intercept and slope of each class against the rest."""
    frame = scores.shown("cox", every=["calibrator", "seed"])
    frame = in_order(scores, frame[frame["calibrator"].isin(scores.before_and_after)])
    frame = frame.astype({"cases": "Int64"})
    shown = class_visibilities(scores)
    rows = over_seeds(frame, ["class", "calibrator"], list(LINE))
    known = frame.groupby(["class", "calibrator"], sort=False)["slope"].count()
    return rendered(
        "cox",
        "Weak calibration class by class, one against the rest: intercept (the shift of "
        "log-odds that makes the mean right; below 0, probabilities are too high) and slope (below "
        f"1 too extreme, above 1 too timid) of {scores.loss}: "
        f"{scores.spread_text}. {_slopes(scores, frame, shown)} {MASKED} masked: "
        f"fewer than {MASK_BELOW} test {scores.unit}, or shown they would give such a class away; "
        f"no line below {RATE_FROM}.",
        [
            CLASS,
            CALIBRATOR,
            count("cases", "Test images", disclosure="count"),
            *(_line(name, label, ideal) for name, (label, ideal) in LINE.items()),
        ],
        rows.assign(known=known.to_numpy(), visibility=rows["class"].map(shown),
                    seeds=len(scores.record["seeds"])),
        behind=frame,
    )  # fmt: skip


def _line(name: str, label: str, ideal: str) -> Column:
    """Return the column of one number of a line, which says how many seeds have one."""

    def write(row: Mapping[str, Any]) -> Cell:
        if not row["known"]:
            return Cell("no line" if row["visibility"] == "full" else "–")
        few = row["known"] < row["seeds"]
        detail = f"{row['known']} of {row['seeds']} seeds have a line" if few else ""
        return replace(cell(plain, row), detail=detail)

    plain = number(name, label, unit=ideal, digits=2, sd=f"{name}_sd")
    return number(f"{name}_line", label, unit=ideal, disclosure="rate", write=write)


def _slopes(scores: Scores, frame: pd.DataFrame, shown: Mapping[str, str]) -> str:
    """Say in how many classes the mean slope is below 1 after the headline's calibrator."""
    calibrator = scores.record["headline_calibrator"]
    judged = pick(frame, calibrator=calibrator)
    judged = judged[judged["class"].map(shown) == "full"]
    slopes = judged.groupby("class")["slope"].mean().dropna()
    if judged.empty:
        return f"No class has {RATE_FROM} test {scores.unit} or more, so none has a line."
    if slopes.empty:
        return f"No class with {RATE_FROM} {scores.unit} or more has a line."
    extreme = int((slopes < 1).sum())
    return (
        f"After {scores.calibrator} the mean slope is below 1 in {extreme} of "
        f"{counted(len(slopes), 'classes')} with a line."
    )


COX = TableSpec(
    name="cox",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        CLASS,
        count("cases", disclosure="count"),
        number("slope", disclosure="rate"),
        number("intercept", disclosure="rate"),
        number("intercept_at_slope_one", disclosure="rate"),
        text("reason", disclosure="rate"),
    ),
    compute=lambda experiment: cox_table(experiment.runs, experiment.classes),
    disclose=by_class,
    section="by_class",
    show=lambda scores: [shown_cox(scores)],
)
