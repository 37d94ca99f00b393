"""The card as a page that opens anywhere: one file, no network, images only where allowed."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from PIL import Image

from pipeline.adapters import default_window
from pipeline.config import Dataset

IMAGES_A_CLASS = 10
TILE_PIXELS = 56
GAP_PIXELS = 4
MAX_ROWS = 40


def remarks_on(card: Mapping[str, Any], dataset: Dataset) -> Iterator[str]:
    """Yield what a run prints of a card: patients that are not named, numbers other than stated."""
    if "unnamed_patients" in card:
        yield unnamed_text(card)
    counts = {split: sum(by_class.values()) for split, by_class in card["counts"].items()}
    for split, expected in dataset.expected_cases.items():
        if counts.get(split, 0) != expected:
            yield f"'expected_cases' states {expected} for {split}, got {counts.get(split, 0)}"


def unnamed_text(card: Mapping[str, Any]) -> str:
    """Say how many cases name no patient, and what is counted as one instead.

    >>> unnamed_text({"unnamed_patients": {"image": 3}, "counts": {"test": {"ill": 3}}})
    'no case names its patient: every image counts as a patient of its own'
    >>> unnamed_text({"unnamed_patients": {"study": 2}, "counts": {"test": {"ill": 3}}})
    '2 of 3 cases name no patient: the study of 2 counts as one'
    """
    unnamed = card["unnamed_patients"]
    total = sum(sum(by_class.values()) for by_class in card["counts"].values())
    if len(unnamed) == 1 and sum(unnamed.values()) == total:
        return (
            f"no case names its patient: every {next(iter(unnamed))} counts as a patient of its own"
        )
    parts = ", ".join(f"the {kind} of {number}" for kind, number in unnamed.items())
    return f"{sum(unnamed.values())} of {total} cases name no patient: {parts} counts as one"


def render_page(card: dict[str, Any], sheet_png: bytes | None = None) -> str:
    """Return the card as HTML; the contact sheet is inlined where there is one."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = (files("pipeline.preparing") / "card.html.jinja").read_text(encoding="utf-8")
    balance = _class_balance(card)
    return environment.from_string(template).render(
        card=card,
        balance=balance,
        unnamed=unnamed_text(card) if "unnamed_patients" in card else "",
        total=sum(row["total"] for row in balance),
        default_window=default_window(card["adapter"], card["arguments"]),
        sheet=None if sheet_png is None else base64.b64encode(sheet_png).decode(),
    )


def contact_sheet(images: np.ndarray, cases: pd.DataFrame, num_classes: int) -> bytes:
    """Return a PNG of the first training images, one class a row, volumes by their middle slice.

    A set that nothing is trained on shows its test images.
    """
    split = "train" if (cases["split"] == "train").any() else "test"
    step = TILE_PIXELS + GAP_PIXELS
    num_rows = min(num_classes, MAX_ROWS)
    sheet = Image.new("RGB", (IMAGES_A_CLASS * step, num_rows * step), "white")
    for label in range(num_rows):
        rows = np.flatnonzero((cases["split"] == split) & (cases["label"] == label))
        for column, row in enumerate(rows[:IMAGES_A_CLASS]):
            sheet.paste(_tile(np.asarray(images[row])), (column * step, label * step))
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _tile(image: np.ndarray) -> Image.Image:
    if image.ndim == 4:
        image = image[len(image) // 2]
    if image.dtype != np.uint8:
        low, high = float(image.min()), float(image.max())
        image = ((image - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
    shown = Image.fromarray(image[:, :, 0] if image.shape[-1] == 1 else image)
    return shown.resize((TILE_PIXELS, TILE_PIXELS), Image.Resampling.NEAREST)


def _class_balance(card: dict[str, Any]) -> list[dict[str, Any]]:
    totals = {
        name: sum(counts[name] for counts in card["counts"].values()) for name in card["classes"]
    }
    return [
        {"name": name, "total": total, "share": total / sum(totals.values())}
        for name, total in totals.items()
    ]
