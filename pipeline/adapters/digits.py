"""Handwritten digits, 8 x 8 pixels of 4 bits: real images that come with scikit-learn.

The file carries no key of who wrote a digit, so every image counts as a patient of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pipeline.acquiring import acquire_file, file_digest, mirrors
from pipeline.adapters.case import Case
from pipeline.adapters.resizing import resize
from pipeline.config import Dataset
from pipeline.errors import InputError

FILE = "digits.csv.gz"
BRIGHTEST = 16


def acquire(raw: Path, dataset: Dataset) -> None:
    """Copy the installed scikit-learn's file: its data folder is one more mirror."""
    for file in dataset.files:
        acquire_file(file, raw, [*mirrors(), _scikit_learn_data()])


def read(raw: Path, dataset: Dataset) -> Iterator[Case]:
    """Yield the 1,797 images in the file's order, their values 0..16 stretched to 0..255."""
    path = raw / FILE
    digest = file_digest(path)
    rows = np.loadtxt(path, delimiter=",", dtype=np.int64)
    if rows.shape[1] != 65 or rows[:, :64].min() < 0 or rows[:, :64].max() > BRIGHTEST:
        message = f"{path}: rows of 64 values in 0..{BRIGHTEST} and a label expected"
        raise InputError(message)
    for number, row in enumerate(rows):
        case = f"digit-{number:04d}"
        # 16 * 255 / 16 fits into a byte only when the division comes last.
        image = ((row[:64] * 255 + BRIGHTEST // 2) // BRIGHTEST).astype(np.uint8)
        yield Case(
            case=case,
            image=resize(image.reshape(8, 8, 1), tuple(dataset.image_size)),
            label=int(row[64]),
            patient=case,
            source=FILE,
            source_sha256=digest,
        )


def _scikit_learn_data() -> Path:
    # find_spec does not import the package, which would take a second.
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        message = "scikit-learn is not installed: its digits cannot be copied"
        raise InputError(message)
    return Path(spec.origin).parent / "datasets" / "data"
