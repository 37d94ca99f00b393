"""The card as a page that opens anywhere: one file, no network, images only where allowed."""

from __future__ import annotations

import base64
import io
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from PIL import Image

from pipeline.adapters import default_window
from pipeline.preparing.remarks import unnamed_text

IMAGES_A_CLASS = 10
TILE_PIXELS = 56
GAP_PIXELS = 4
MAX_ROWS = 40


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
