"""The operating-point explorer: aggregate rows that a page can turn without a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.figures import Frame
from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.tables.accepted_groups import group_counts
from pipeline.tables.exact_band import nearest_rows, shown_thresholds
from pipeline.tables.parts.classes import class_visibilities
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.sentences import OperatingPoint, main_sentence, operating_point
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.wording import missing, percent, target_text
from pipeline.tables.risk_coverage import SHOWN_COVERAGES

MOST_CLASSES = 12
MOST_THRESHOLDS = 200
"""As many as evaluation keeps, evenly chosen among the attained."""
WORKLOAD = "Workload: what is answered, and what referring leaves wrong."
THRESHOLDS = f"Thresholds that answer {RATE_FROM} or more, {MOST_THRESHOLDS} at most."
ACCEPTED_KEYS = ("threshold", "label", "prediction")


@dataclass(frozen=True)
class Explorer:
    """What the explorer needs: rows for the script, and tables for everybody.

    Attributes
    ----------
    data : dict
        Aggregate counts by threshold, at most 200 rows, never a case; embedded as JSON.
    classes : tuple of str
        Names of the classes by number; empty where classes cannot be told apart.
    workload : Table
        Eight coverages in counts: what is printed.
    every : Table
        Every threshold of the data: what works without a script.
    """

    data: dict[str, Any]
    classes: tuple[str, ...]
    workload: Table
    every: Table


def explorer(scores: Scores, frame: Frame) -> Explorer | None:
    """Return the explorer of the headline pair's first seed; None without a curve to explore."""
    band = scores.shown("exact_band").reset_index(drop=True)
    if band.empty:
        return None
    points = scores.shown("operating_points", every=["target"])
    counts = _class_counts(scores, band)
    data = {
        "unit": scores.unit,
        "total": int(points["num_test"].iloc[0]),
        "points": {key: band[key].tolist() for key in ("threshold", "answered", "wrong")},
        "lower": band["lower"].round(6).tolist(),
        "upper": band["upper"].round(6).tolist(),
        "targets": [_target(row, scores.unit) for _, row in points.iterrows()],
        "chosenTarget": scores.record["headline_target"],
        "frame": vars(frame),
        "groups": group_counts(scores, band["threshold"].tolist()),
        "rateFrom": RATE_FROM,
        "maskBelow": MASK_BELOW,
    }
    classes: tuple[str, ...] = ()
    if counts is not None:
        classes = tuple(scores.dataset["classes"])
        data["confusion"] = _masked(counts, scores)
    few = band.iloc[nearest_rows(band, SHOWN_COVERAGES)]
    return Explorer(
        data,
        classes,
        shown_thresholds(scores, few, "workload", WORKLOAD),
        shown_thresholds(scores, band, "thresholds", THRESHOLDS),
    )


def _target(row: pd.Series, unit: str) -> dict[str, Any]:
    point = operating_point(row, unit)
    return {
        "target": point.target,
        "text": target_text(point.target),
        "threshold": None if missing(point.threshold) else point.threshold,
        "approved": _approved(point),
        "sentence": main_sentence(point),
    }


def _approved(point: OperatingPoint) -> str:
    target = target_text(point.target)
    if missing(point.threshold):
        return f"none for a target of {target}."
    return f"confidence {percent(point.threshold, 2)} or more, for a target of {target}."


def _class_counts(scores: Scores, band: pd.DataFrame) -> np.ndarray | None:
    """Return answered cases by threshold, label and prediction; None where they are not known."""
    names = scores.dataset["classes"]
    if scores.frame("accepted").empty or len(names) > MOST_CLASSES:
        return None
    rows = scores.shown("accepted")
    number = {name: index for index, name in enumerate(names)}
    keys = ({value: index for index, value in enumerate(band["threshold"])}, number, number)
    where = [rows[key].map(index) for key, index in zip(ACCEPTED_KEYS, keys, strict=True)]
    for key, places in zip(ACCEPTED_KEYS, where, strict=True):
        if places.isna().any():
            message = (
                f"accepted.csv: {key} {rows[key][places.isna()].iloc[0]} is known nowhere else"
            )
            raise InputError(message)
    counts = np.zeros((len(band), len(names), len(names)), dtype=int)
    counts[tuple(where)] = rows["cases"]
    return counts


def _masked(counts: np.ndarray, scores: Scores) -> list[list[list[int] | None]]:
    """Return the counts as lists, a masked class's row as None at every threshold."""
    shown = class_visibilities(scores)
    return [
        [
            None if shown[name] == "masked" else row.tolist()
            for name, row in zip(scores.dataset["classes"], matrix, strict=True)
        ]
        for matrix in counts
    ]
