"""Published figures beside ours, where the study's data set has any, with what differs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from io import StringIO
from typing import Any

import pandas as pd

from pipeline.tables.parts.column import CALIBRATOR, LOSS, METRIC, metric, number, text
from pipeline.tables.parts.rendering import cell, rendered
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.wording import metric_name, missing, scaled

DIFFERENCES = (
    "The published networks are ResNet-50 (CIFAR, Tiny-ImageNet) or ResNet-18 (MedMNIST), trained "
    "for 100 to 350 epochs, their temperatures fitted on validation cases; where a source gives "
    "one figure it is taken as calibrated. Ours: "
)


def published_table(scores: Scores) -> Table | None:
    """Return published figures beside this experiment's; None where nothing was published."""
    frame = published_figures(scores.dataset.get("name", ""))
    if frame.empty:
        return None
    ours = [_our_value(scores, row) for _, row in frame.iterrows()]
    record = scores.record
    return rendered(
        "published",
        "Beside published figures, which are not to be compared digit for digit. "
        f"{DIFFERENCES}{record['network']}, recipe {record['recipe']}, {scores.seeds_text}, "
        "calibrators fitted on a split of their own.",
        COLUMNS,
        frame.assign(ours=[mean for mean, _ in ours], ours_sd=[sd for _, sd in ours]),
    )


def published_figures(dataset: str) -> pd.DataFrame:
    """Return a data set's published figures: loss, calibrator, metric, value as a share, source."""
    known = (files("pipeline.tables.derived") / "published.csv").read_text(encoding="utf-8")
    return pick(pd.read_csv(StringIO(known)), dataset=dataset)


def _our_value(scores: Scores, row: pd.Series) -> tuple[float, float]:
    key = {name: row[name] for name in ("loss", "calibrator", "metric")}
    found = pick(scores.frame("summary"), **key)
    if found.empty:
        return float("nan"), float("nan")
    return float(found["mean"].iloc[0]), float(found["sd"].iloc[0])


def _metric(row: Mapping[str, Any]) -> Cell:
    known = metric_name(row["metric"])
    return Cell(known.label, known.unit)


def _ours(row: Mapping[str, Any]) -> Cell | str:
    return (
        "not run"
        if missing(row["ours"])
        else cell(metric(row["metric"], "ours", sd="ours_sd"), row)
    )


COLUMNS = (
    LOSS,
    CALIBRATOR,
    METRIC.shown_as("Metric", write=_metric),
    number("value", "Published", write=lambda row: scaled(row["metric"], row["value"])),
    number("of_ours", "Ours", write=_ours),
    text("source", "Source"),
)
