"""Acquire: bring a data set's files to data/raw, verified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.acquiring import MIRROR_VARIABLE, acquire_files, mirrors
from pipeline.adapters import ACQUIRERS, find_adapter
from pipeline.artifacts import whole_folder
from pipeline.config import Dataset, read_dataset
from pipeline.dvc_state import close_state
from pipeline.errors import InputError, located


def run(key: str, *, root: Path) -> None:
    """Write data/raw/KEY, whole or not at all; an index of an own folder with its hashes.

    Raises
    ------
    InputError
        If the data set has no config, or one of its files is absent or has another checksum; or
        if what is to be read lies where stages write.
    """
    dataset = read_dataset(root / "configs", key)
    if (root / ".dvc").is_dir():
        close_state(root)
    path = root / "configs" / "datasets" / f"{key}.yaml"
    with located(path):
        find_adapter(dataset.adapter)
        for output in (root / "data" / "raw" / key, root / "data" / "prepared" / key):
            require_apart(sources(dataset), output)
        acquire = ACQUIRERS.get(dataset.adapter, acquire_files)
        # Public files bear the checksums of the config; an index of a folder has only these.
        is_index = "folder" in dataset.arguments
        with whole_folder(root / "data" / "raw" / key, hashed=is_index) as raw:
            acquire(raw, dataset)


def sources(dataset: Dataset) -> dict[str, Path]:
    """Return where files of the user's are read, by what names the place."""
    arguments = dataset.arguments
    labels = arguments.get("labels")
    stated = {
        "key 'arguments.folder'": arguments.get("folder"),
        "key 'arguments.labels.table'": labels.get("table") if isinstance(labels, dict) else None,
    }
    found = {name: Path(path) for name, path in stated.items() if isinstance(path, str)}
    return found | {f"{MIRROR_VARIABLE} {path}": path for path in mirrors()}


def require_apart(read: Mapping[str, Path], output: Path) -> None:
    """Raise `InputError` if anything that is read lies in a folder that a stage replaces."""
    for name, path in read.items():
        if path.resolve().is_relative_to(output.resolve()):
            message = f"{name}: a place outside {output} expected, which is replaced"
            raise InputError(message)
