"""What is known of a prepared data set: counts, patients, licence, faults and fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Set
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config import Dataset
from pipeline.preparing.auditing import (
    conflicting_labels,
    equal_pixels_across,
    equal_pixels_within,
    showing,
)
from pipeline.preparing.collecting import Collected
from pipeline.preparing.quarantine import count_reasons
from pipeline.preparing.subsampling import class_counts
from pipeline.splits import SPLITS


def make_card(
    name: str, dataset: Dataset, cases: pd.DataFrame, dtype: np.dtype, collected: Collected
) -> dict[str, Any]:
    """Return the card of a data set whose cases, of those collected, are split and audited."""
    stated = dataset.model_dump(
        include={
            "title",
            "adapter",
            "arguments",
            "classes",
            "critical_classes",
            "image_size",
            "channels",
            "licence",
            "citation",
            "notes",
            "show_images",
            "max_cases",
            "long_tail",
        }
    )
    return stated | {
        "name": name,
        "dtype": str(dtype),
        "files": [file.model_dump(exclude_none=True) for file in dataset.files],
        "reuse": dict(dataset.splits.reuse),
        "counts": _counts(cases, dataset.classes),
        "patients": _distinct(cases, "patient"),
        "sites": {site: int(n) for site, n in cases["site"].value_counts().sort_index().items()},
        "spacing_mm": _spacing_range(cases),
        "simulated": bool(cases["truth"].notna().any()),
        **_unnamed_patients(collected.cases.loc[cases.index, "patient_is"]),
        "equal_pixels": _equal_pixels(cases, collected.blank),
        "read": len(collected.cases),
        "left_out": len(collected.cases) - len(cases),
        "quarantined": count_reasons(collected.quarantined),
        "fingerprint": cases_fingerprint(cases),
    }


def cases_fingerprint(cases: pd.DataFrame) -> str:
    """Return one sha256 for the table and, through its `pixel_sha256`, for every pixel."""
    return hashlib.sha256(cases.to_csv(index=False).encode()).hexdigest()


def _counts(cases: pd.DataFrame, classes: list[str]) -> dict[str, dict[str, int]]:
    return {
        split: dict(zip(classes, class_counts(cases, split, len(classes)), strict=True))
        for split in SPLITS
        if (cases["split"] == split).any()
    }


def _distinct(cases: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(split): int(n) for split, n in cases.groupby("split")[column].nunique().items()}


def _unnamed_patients(patient_is: pd.Series) -> dict[str, dict[str, int]]:
    """Return how many cases something stands for their patient, by what; empty where none."""
    counts = patient_is[patient_is != "patient"].value_counts().sort_index()
    return (
        {"unnamed_patients": {str(kind): int(n) for kind, n in counts.items()}}
        if any(counts)
        else {}
    )


def _equal_pixels(cases: pd.DataFrame, blank: Set[str]) -> dict[str, Any]:
    """Return what is equal among the images that show something, and how many show nothing."""
    seen = showing(cases, blank)
    found = {
        "across": equal_pixels_across(seen),
        "within": equal_pixels_within(seen),
        "with_conflicting_labels": conflicting_labels(seen),
    }
    num_blank = len(cases) - len(seen)
    return found | ({"blank": num_blank} if num_blank else {})


def _spacing_range(cases: pd.DataFrame) -> dict[str, Any] | None:
    """Return the smallest and the largest spacing along each axis, and of how many none is known.

    None where no case has one; the number is left out where every case has.
    """
    stated = cases["spacing"].dropna()
    if stated.empty:
        return None
    spacings = np.array(stated.tolist())
    ends = {"smallest": spacings.min(axis=0).tolist(), "largest": spacings.max(axis=0).tolist()}
    num_unknown = len(cases) - len(stated)
    return ends | ({"unknown": num_unknown} if num_unknown else {})
