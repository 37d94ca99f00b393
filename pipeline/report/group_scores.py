"""Every metric of every group of patients and of every class, as far as its size lets it show."""

from __future__ import annotations

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.wording import (
    MASKED,
    RESAMPLED_ECE,
    interval,
    metric_name,
    missing,
    percent,
    scaled,
)

WRONG_PATIENTS = "wrong_patients"
SHOWN = ("accuracy", "nll", "brier", "ece", "aurc")
CLASS = "class"


def group_scores_table(scores: Scores) -> Table | None:
    """Return one row a group with its metrics and intervals; None where they were not computed."""
    if scores.frame("group_scores").empty:
        return None
    frame = scores.shown("group_scores")
    rows = [
        (Cell(str(column).replace("_", " ")), Cell(str(group)), *_cells(own))
        for (column, group), own in frame.groupby(["column", "group"], sort=False)
    ]
    headline = scores.headline
    return Table(
        name="group_scores",
        caption=f"Scores of every group and true class, everything answered: {headline['loss']} "
        f"with {headline['calibrator']}, seed {headline['seed']}. {_accuracies(frame)} Intervals: "
        f"exact of patients, 95% patient bootstraps of the rest; where they overlap, equality is "
        f"not shown. {RESAMPLED_ECE} {MASKED} masked: fewer than {MASK_BELOW} patients, or shown "
        f"they would give such a group away; below {RATE_FROM}, counts alone. The files hold every "
        "metric.",
        columns=(
            Heading("By", numeric=False),
            Heading("Group", numeric=False),
            Heading("Patients read wrongly", "an image at least"),
            *(Heading(metric_name(key).label, metric_name(key).unit) for key in SHOWN),
        ),
        rows=tuple(rows),
        frame=frame,
        headings=2,
    )


def _cells(own: pd.DataFrame) -> tuple[Cell, ...]:
    by_metric = {row["metric"]: row for _, row in own.iterrows()}
    wrong = by_metric[WRONG_PATIENTS]
    if wrong["visibility"] == "masked":
        return (Cell(MASKED), *(Cell("–"),) * len(SHOWN))
    rate = "" if missing(wrong["value"]) else f"{percent(wrong['value'])} "
    counts = Cell(
        f"{wrong['num_wrong']:,.0f} of {wrong['num_patients']:,.0f}",
        f"{rate}({interval(wrong['lower'], wrong['upper'])})",
    )
    return counts, *(_metric_cell(key, by_metric.get(key)) for key in SHOWN)


def _metric_cell(key: str, row: pd.Series | None) -> Cell:
    if row is None or missing(row["value"]):
        return Cell("–")
    ends = "" if missing(row["lower"]) else "–".join(
        scaled(key, row[end]) for end in ("lower", "upper")
    )  # fmt: skip
    return Cell(scaled(key, row["value"]), ends)


def _accuracies(frame: pd.DataFrame) -> str:
    """Say from what to what accuracy runs among the groups of each kind that are shown in full."""
    accuracy = frame[frame["metric"] == "accuracy"]
    words = []
    for column, own in accuracy.groupby("column", sort=False):
        if len(own) < 2:
            continue
        low, high = (
            own.iloc[int(place)] for place in (own["value"].argmin(), own["value"].argmax())
        )
        kind = "true class" if column == CLASS else str(column).replace("_", " ")
        words.append(
            f"by {kind} from {percent(low['value'])} ({low['group']}) to "
            f"{percent(high['value'])} ({high['group']})"
        )
    return f"Images read rightly: {'; '.join(words)}." if words else ""
