"""From an adapter's cases to a prepared data set: split, thinned out, audited and described."""

from __future__ import annotations

import pandas as pd

from pipeline.cases import COLUMNS
from pipeline.config import Dataset
from pipeline.preparing.auditing import audit
from pipeline.preparing.card import make_card
from pipeline.preparing.collecting import Collected, collect
from pipeline.preparing.images import ImageSpool, write_images
from pipeline.preparing.page import contact_sheet, remarks_on, render_page
from pipeline.preparing.quarantine import (
    listing_of,
    require_few_quarantined,
    reveal_quarantine,
    summarise,
    write_quarantine,
)
from pipeline.preparing.splitting import assign_splits
from pipeline.preparing.subsampling import keep_cases


def split_cases(collected: Collected, dataset: Dataset) -> pd.DataFrame:
    """Return the cases that are kept, each with its split, in the order they were read.

    The index still numbers the images as they were read.

    Raises `InputError` if a split or a training class is empty, or a patient or an image is in two
    splits.
    """
    split = assign_splits(collected.cases, dataset.splits)
    cases = keep_cases(collected.cases.assign(split=split), dataset)[COLUMNS.names]
    audit(cases, dataset, collected.blank)
    return cases


__all__ = [
    "Collected",
    "ImageSpool",
    "collect",
    "contact_sheet",
    "listing_of",
    "make_card",
    "remarks_on",
    "render_page",
    "require_few_quarantined",
    "reveal_quarantine",
    "split_cases",
    "summarise",
    "write_images",
    "write_quarantine",
]
