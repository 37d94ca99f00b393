"""The classes in the order of tables: the critical first, then from common to rare in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.metrics.group_shares import RATE_FROM, Visibility
from pipeline.tables.parts.column import CLASS, Column, count
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell
from pipeline.tables.parts.wording import missing, number_text

COUNTS = ("cases", "answered", "wrong", "referred")


def ordered_classes(scores: Scores) -> list[str]:
    """Return the critical classes, then the others, both from most to fewest training cases."""
    critical, training = scores.dataset["critical_classes"], training_cases(scores)
    return sorted(
        scores.dataset["classes"], key=lambda name: (name not in critical, -training.get(name, 0))
    )


def training_cases(scores: Scores) -> dict[str, int]:
    """Return each class's training cases, without masked classes; empty where none are recorded."""
    return scores.dataset["counts"].get("train", {})


def true_class(scores: Scores) -> Column:
    """Return the column of the true classes, which says which are critical."""
    critical = scores.dataset["critical_classes"]

    def write(row: Mapping[str, Any]) -> Cell:
        return Cell(row["class"], "critical" if row["class"] in critical else "")

    return CLASS.shown_as("True class", write=write)


def training_images(scores: Scores) -> Column:
    """Return the column of each class's training cases."""
    training = training_cases(scores)

    def write(row: Mapping[str, Any]) -> str:
        return number_text(training.get(row["class"])) if training else "–"

    return count("training", "Training images", write=write)


def class_rows(scores: Scores) -> pd.DataFrame:
    """Return what became of each class at the headline's operating point, in order.

    The counts of a masked class are not there.
    """
    rows = scores.shown("per_class")
    return in_order(scores, rows.astype(dict.fromkeys(COUNTS, "Int64")))


def in_order(scores: Scores, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with a column ``class`` in the order of the classes, others as they stand."""
    places = {name: place for place, name in enumerate(ordered_classes(scores))}
    return rows.sort_values("class", key=lambda names: names.map(places), kind="stable")


def class_visibilities(scores: Scores) -> dict[str, Visibility]:
    """Return what may be shown of each class: a masked class has no number of test patients."""
    rows = class_rows(scores)
    return {
        name: "masked" if missing(cases) else "full" if cases >= RATE_FROM else "counts"
        for name, cases in zip(rows["class"], rows["cases"], strict=True)
    }
