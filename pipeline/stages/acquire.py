"""Acquire: bring a data set's files to data/raw, verified."""

from __future__ import annotations

from pathlib import Path

from pipeline.acquiring import acquire_files
from pipeline.adapters import ACQUIRERS, find_adapter
from pipeline.artifacts import whole_folder
from pipeline.config import read_dataset
from pipeline.errors import located


def run(key: str, *, root: Path) -> None:
    """Write data/raw/KEY, whole or not at all.

    Raises
    ------
    InputError
        If the data set has no config, or one of its files is absent or has another checksum.
    """
    path = root / "configs" / "datasets" / f"{key}.yaml"
    dataset = read_dataset(root / "configs", key)
    with located(path):
        find_adapter(dataset.adapter)
        acquire = ACQUIRERS.get(dataset.adapter, acquire_files)
        with whole_folder(root / "data" / "raw" / key) as raw:
            acquire(raw, dataset)
