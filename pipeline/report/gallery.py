"""Pictures of the most confident errors and of referred cases, where they may be shown."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pipeline.errors import InputError
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.wording import percent

KINDS = {
    "confident_error": ("Most confident errors", "The {n} most confident, not a random sample"),
    "referred": ("Referred cases", "The {n} least confident, not a random sample"),
}
PNG_START = "iVBORw0KGgo"
"""Base64 of the bytes that every PNG begins with."""


@dataclass(frozen=True)
class Picture:
    """One thumbnail: PNG in base64, and the words beneath it."""

    png: str
    words: str


@dataclass(frozen=True)
class Shelf:
    """Pictures of one kind, with how they were chosen."""

    title: str
    chosen: str
    pictures: tuple[Picture, ...]


def gallery(scores: Scores) -> tuple[Shelf, ...]:
    """Return the shelves of an experiment: none where there are no pictures to show.

    Raises
    ------
    InputError
        If there are pictures of a data set whose licence or identity forbids showing them, or a
        thumbnail is no PNG.
    """
    if scores.frame("gallery").empty:
        return ()
    if not scores.dataset["show_images"]:
        message = "gallery.csv: no pictures expected, because the data set has show_images: false"
        raise InputError(message)
    rows = scores.shown("gallery")
    shelves = []
    for kind, (title, chosen) in KINDS.items():
        pictures = tuple(_picture(row) for _, row in pick(rows, kind=kind).iterrows())
        if pictures:
            shelves.append(Shelf(title, chosen.format(n=len(pictures)), pictures))
    return tuple(shelves)


def _picture(row: pd.Series) -> Picture:
    if not row["png"].startswith(PNG_START):
        message = f"gallery.csv: a PNG in base64 expected, got {row['png'][:12]!r}"
        raise InputError(message)
    sure = percent(row["confidence"])
    if row["kind"] == "referred":
        return Picture(row["png"], f"{row['label']}; would read {row['prediction']} ({sure})")
    return Picture(row["png"], f"{row['label']}, read as {row['prediction']} ({sure})")
