"""Thumbnails of the most confident errors and of the least sure referred cases."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Int, UInt8

from pipeline.errors import InputError
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, count, share, text
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import percent

if TYPE_CHECKING:
    from pipeline.tables.parts.experiment import Experiment


NUM_PICTURES = 12
"""Of each kind."""


LONGEST_SIDE = 96
"""Pixels of a thumbnail; smaller images stay as they are."""


COLUMNS = ("loss", "calibrator", "seed", "kind", "rank", "label", "prediction", "confidence", "png")


def gallery_cases(
    run: Run, calibrator: str, threshold: float
) -> dict[str, Int[np.ndarray, "pictures"]]:
    """Return which test cases are shown of each kind, by their place among the predictions.

    ``confident_error``: the wrong ones, most confident first. ``referred``: those of patients who
    are not answered, least confident first.
    """
    top = run.test.top(calibrator)
    wrong = np.flatnonzero(~np.asarray(top.correct, dtype=bool))
    referred = np.flatnonzero(~run.test.answered(calibrator, threshold))
    by_falling = wrong[np.argsort(-top.confidence[wrong], kind="stable")]
    by_rising = referred[np.argsort(top.confidence[referred], kind="stable")]
    return {
        "confident_error": by_falling[:NUM_PICTURES],
        "referred": by_rising[:NUM_PICTURES],
    }


def gallery_table(
    run: Run,
    calibrator: str,
    classes: Sequence[str],
    chosen: Mapping[str, Int[np.ndarray, "pictures"]],
    images: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """Return one row a picture: PNG in base64, true and predicted class, confidence.

    Parameters
    ----------
    run, calibrator
        The model shown.
    classes : sequence of str
    chosen : mapping of kind to int array
        As `gallery_cases` returns them.
    images : mapping of case to array, (*spatial, channels)
        Of every chosen case. Only for data whose licence and identity allow them to be shown.
    """
    top, predictions = run.test.top(calibrator), run.test.predictions
    rows: list[dict[str, Any]] = []
    for kind, cases in chosen.items():
        for rank, case in enumerate(cases):
            png = thumbnail(images[predictions.cases[case]])
            about = {"kind": kind, "rank": rank, "label": classes[predictions.labels[case]]}
            about |= {"prediction": classes[top.predicted[case]]}
            about |= {"confidence": top.confidence[case]}
            rows.append(run.key(calibrator) | about | {"png": base64.b64encode(png).decode()})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def thumbnail(image: np.ndarray) -> bytes:
    """Return an image, (*spatial, channels), as a small PNG: of a volume the middle slice.

    Other types than uint8 are stretched to their own range; with other than three channels the
    first is shown in grey.
    """
    # Imported here: only where pictures are shown.
    from PIL import Image  # noqa: PLC0415

    shown = _as_bytes(image[len(image) // 2] if image.ndim == 4 else image)
    picture = Image.fromarray(shown if shown.shape[-1] == 3 else shown[:, :, 0])
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _as_bytes(image: np.ndarray) -> UInt8[np.ndarray, "rows columns channels"]:
    if image.dtype == np.uint8:
        return np.asarray(image)
    values = image.astype(np.float64)
    low, high = values.min(), values.max()
    # An image of one value has no range to be stretched to.
    return ((values - low) * (255 / ((high - low) or 1.0))).astype(np.uint8)


def _may_be_shown(experiment: Experiment) -> bool:
    return bool(experiment.card["show_images"]) and experiment.images is not None


def _of_experiment(experiment: Experiment) -> pd.DataFrame:
    """Return the pictures of the model shown, at its approved threshold."""
    row, shown = experiment.row, experiment.shown
    points = experiment.points_of_shown
    point = points[points["calibrator"] == row.headline_calibrator]
    chosen = gallery_cases(shown, row.headline_calibrator, point["threshold"].item())
    cases = shown.test.predictions.cases[np.concatenate(list(chosen.values()))]
    images = experiment.images(cases) if experiment.images is not None else {}
    return gallery_table(shown, row.headline_calibrator, experiment.classes, chosen, images)


SHELVES = {
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


def shown_gallery(scores: Scores) -> tuple[Shelf, ...]:
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
    for kind, (title, chosen) in SHELVES.items():
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


GALLERY = TableSpec(
    name="gallery",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        text("kind", key=True),
        count("rank", key=True),
        text("label"),
        text("prediction"),
        share("confidence"),
        text("png"),
    ),
    compute=lambda experiment: _of_experiment(experiment),
    when=_may_be_shown,
    may_be_empty=True,
)
