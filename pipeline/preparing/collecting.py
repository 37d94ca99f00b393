"""Gather what an adapter yields: images into a file, everything else into a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.adapters import Case, Quarantined
from pipeline.config import Dataset
from pipeline.errors import InputError, located
from pipeline.preparing.images import ImageSpool


@dataclass(frozen=True)
class Collected:
    """All cases of a source, before any is assigned to a split.

    Attributes
    ----------
    cases : DataFrame, (cases, columns)
        Row i describes the spool's image i. Beside what is published it has `official`, the
        source's own split, where the source has one, and `patient_is`, what stands for the patient.
    quarantined : list
        What was left out, in the order it was met.
    num_files : int
        How many files the cases were read from.
    blank : frozenset of str
        The hashes of the images of which every pixel is the same.
    """

    cases: pd.DataFrame
    quarantined: list[Quarantined]
    num_files: int
    blank: frozenset[str] = frozenset()


def collect(source: Iterable[Case | Quarantined], dataset: Dataset, spool: ImageSpool) -> Collected:
    """Append every image to the spool and return the table of cases.

    Raises
    ------
    InputError
        If a label names no class, an image is not what the data set states, or something is
        quarantined although the data set says ``on_error: fail``.
    """
    rows: list[dict[str, object]] = []
    quarantined: list[Quarantined] = []
    seen: set[str] = set()
    blank: set[str] = set()
    num_files = 0
    for each in source:
        fault = each if isinstance(each, Quarantined) else case_fault(each, seen)
        if fault is not None:
            _require_quarantine_allowed(fault, dataset)
            quarantined.append(fault)
        elif isinstance(each, Case):
            seen.add(each.case)
            num_files += each.num_files
            with located(f"case {each.case} of {each.source}"):
                _require_label(each.label, dataset.classes)
                pixel_sha256 = spool.append(each.image)
                rows.append(_row(each, pixel_sha256, dataset.splits.group))
                if _is_blank(each.image):
                    blank.add(pixel_sha256)
    return Collected(pd.DataFrame(rows), quarantined, num_files, frozenset(blank))


def case_fault(case: Case, seen: set[str]) -> Quarantined | None:
    """Return why a case that was read is left out all the same, given the keys before it."""
    if case.case in seen:
        advice = f"keep one case {case.case}"
        return Quarantined(case.source, "duplicate case key", advice, case.num_files)
    if case.image.dtype.kind == "f" and not np.isfinite(case.image).all():
        advice = "export the image again"
        return Quarantined(case.source, "pixels are not finite", advice, case.num_files)
    return None


def _require_quarantine_allowed(fault: Quarantined, dataset: Dataset) -> None:
    if dataset.on_error == "fail":
        message = f"on_error: fail: {fault.source}: {fault.reason} ({fault.advice})"
        raise InputError(message)


def _require_label(label: int, classes: list[str]) -> None:
    if not 0 <= label < len(classes):
        message = f"label must lie in [0, {len(classes)}), got {label}"
        raise InputError(message)


def _is_blank(image: np.ndarray) -> bool:
    pixels = image.reshape(-1, image.shape[-1])
    return bool((pixels == pixels[0]).all())


def _row(case: Case, pixel_sha256: str, group: str) -> dict[str, object]:
    return {
        "case": case.case,
        "patient": case.patient,
        "group": getattr(case, group),
        "site": case.site,
        "sex": case.sex,
        "age": np.nan if case.age is None else float(case.age),
        "label": np.int32(case.label),
        "source": case.source,
        "source_sha256": case.source_sha256,
        "pixel_sha256": pixel_sha256,
        "spacing": None if case.spacing_mm is None else [float(mm) for mm in case.spacing_mm],
        "truth": None if case.truth is None else [float(p) for p in case.truth],
        "official": case.split,
        "patient_is": "image" if case.patient == case.case else case.patient_is,
    }
