"""Published figures beside ours, where the study's data set has any, with what differs."""

from __future__ import annotations

from importlib.resources import files
from io import StringIO

import pandas as pd

from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.wording import metric_name, missing, scaled

DIFFERENCES = (
    "The published networks are ResNet-50 (CIFAR, Tiny-ImageNet) or ResNet-18 (MedMNIST), trained "
    "for 100 to 350 epochs, their temperatures fitted on validation cases; where a source gives "
    "one figure it is taken as calibrated. Ours: "
)


def published_table(scores: Scores) -> Table | None:
    """Return published figures beside this experiment's; None where nothing was published."""
    text = (files("pipeline.report") / "assets" / "published.csv").read_text(encoding="utf-8")
    every = pd.read_csv(StringIO(text))
    frame = pick(every, dataset=scores.dataset.get("name", ""))
    if frame.empty:
        return None
    ours = [_our_value(scores, row) for _, row in frame.iterrows()]
    frame = frame.assign(ours=[mean for mean, _ in ours], ours_sd=[sd for _, sd in ours])
    rows = tuple(
        (
            Cell(row["loss"]),
            Cell(row["calibrator"]),
            Cell(metric_name(row["metric"]).label, metric_name(row["metric"]).unit),
            Cell(scaled(row["metric"], row["value"])),
            Cell(_mean_and_sd(row)),
            Cell(row["source"]),
        )
        for _, row in frame.iterrows()
    )
    record = scores.record
    return Table(
        name="published",
        caption="Beside published figures, which are not to be compared digit for digit. "
        f"{DIFFERENCES}{record['network']}, recipe {record['recipe']}, {scores.seeds_text}, "
        "calibrators fitted on a split of their own.",
        columns=(
            Heading("Loss", numeric=False),
            Heading("Calibrator", numeric=False),
            Heading("Metric", numeric=False),
            Heading("Published"),
            Heading("Ours"),
            Heading("Source", numeric=False),
        ),
        rows=rows,
        frame=frame,
        headings=3,
    )


def _our_value(scores: Scores, row: pd.Series) -> tuple[float, float]:
    key = {name: row[name] for name in ("loss", "calibrator", "metric")}
    found = pick(scores.frame("summary"), **key)
    if found.empty:
        return float("nan"), float("nan")
    return float(found["mean"].iloc[0]), float(found["sd"].iloc[0])


def _mean_and_sd(row: pd.Series) -> str:
    if missing(row["ours"]):
        return "not run"
    mean = scaled(row["metric"], row["ours"])
    return mean if missing(row["ours_sd"]) else f"{mean} ± {scaled(row['metric'], row['ours_sd'])}"
