"""What every source of cases yields: a case, or the reason why a file gave none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from pipeline.config import Dataset

NOT_RECORDED = "not recorded"

PatientIs = Literal["patient", "study", "series", "file", "image"]


@dataclass(frozen=True)
class Case:
    """One image with its label and what is known of its patient."""

    case: str
    """Unique in its data set, and free of anything that identifies a person."""
    image: np.ndarray
    """uint8, int16 or float32, of the size and channels that the data set's config states;
    (*spatial, channels)."""
    label: int
    """Index into the data set's classes."""
    patient: str
    """Key by which cases are split and resampled together; a keyed hash where the source holds real
    identities."""
    source: str
    source_sha256: str
    """The file it came from, relative to the raw folder, and its hash."""
    split: str | None = None
    """The official split, where the source has one."""
    site: str = NOT_RECORDED
    sex: str = NOT_RECORDED
    """"not recorded" where the source does not say."""
    age: float | None = None
    """Years."""
    spacing_mm: tuple[float, ...] | None = None
    """Distance between the centres of neighbouring pixels along each spatial axis."""
    truth: tuple[float, ...] | None = None
    """The label probabilities, where a simulation knows them."""
    num_files: int = 1
    """How many files were read for it: all of a series, and none for a further frame of a file."""
    patient_is: PatientIs = "patient"
    """What that key is of: where the source names no patient, something else stands for one."""


@dataclass(frozen=True)
class Quarantined:
    """A file or case that is listed and left out, never dropped silently.

    `num_files` counts what a series takes with it.
    """

    source: str
    reason: str
    advice: str
    num_files: int = 1


class Adapter(Protocol):
    """Read one source format: the acquired files in, cases out, one at a time."""

    def __call__(self, raw: Path, dataset: Dataset) -> Iterator[Case | Quarantined]:
        """Yield the cases of a raw folder in an order that depends on the files alone."""
        ...
