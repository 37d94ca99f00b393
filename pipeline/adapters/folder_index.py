"""Acquire a folder: write down what is in it and what its labels are, without who is in it.

Neither the pixel files nor the table are copied: what a data version keeps, and may push to a
remote, is their hashes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.adapters.file_facts import FileFacts
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.label_table import (
    Labelled,
    LabelTableArguments,
    label_rows,
    read_labels,
    read_rows,
    write_labels,
)
from pipeline.adapters.parallel import available_cores, ordered_map
from pipeline.errors import InputError

FILES = "files.parquet"
LABELS = "labels.parquet"

_FILES_A_WORKER = 4096
_ARROW_TYPES = {
    "str": pa.string(),
    "int": pa.int64(),
    "int | None": pa.int64(),
    "float | None": pa.float64(),
    "bool": pa.bool_(),
    "tuple[float, ...]": pa.list_(pa.float64()),
}
_SCHEMA = pa.schema([(each.name, _ARROW_TYPES[str(each.type)]) for each in fields(FileFacts)])


@dataclass(frozen=True)
class Index:
    """What `acquire` found: every file of the folder, and the labels by hashed key."""

    files: list[FileFacts]
    labels: dict[str, Labelled]


class Scanner(Protocol):
    """Turn files of one format into facts; picklable, and silent about what is wrong."""

    @property
    def folder(self) -> Path:
        """The folder whose files it reads."""
        ...

    @property
    def pseudonyms(self) -> Pseudonyms:
        """What every identifier leaves as."""
        ...

    def wants(self, name: str) -> bool:
        """Return whether a file of this name is one of the format's."""
        ...

    def __call__(self, relative: str) -> FileFacts:
        """Return the facts of a file, given its path below the folder."""
        ...


def write_index(
    raw: Path,
    scanner: Scanner,
    table: LabelTableArguments,
    classes: list[str],
    *,
    shown: Callable[[str], str] = str,
) -> None:
    """Scan a folder and its table into ``raw/files.parquet`` and ``raw/labels.parquet``.

    `shown` turns a file's path into what of it may be shown.

    Raises
    ------
    InputError
        If the folder is absent or empty, or the table cannot be read.
    """
    rows = read_rows(table)
    relative = _relative_paths(scanner, leave_out=Path(table.table))
    workers = min(available_cores(), 1 + len(relative) // _FILES_A_WORKER)
    files = [
        asdict(replace(facts, source=shown(facts.source)))
        for facts in ordered_map(scanner, relative, workers=workers)
    ]
    pq.write_table(pa.Table.from_pylist(files, schema=_SCHEMA), raw / FILES)
    write_labels(label_rows(rows, table, classes, scanner.pseudonyms), raw / LABELS)


def read_index(raw: Path) -> Index:
    """Return what `write_index` wrote; `InputError` if nothing was acquired."""
    if not (raw / FILES).is_file():
        message = f"{raw}: nothing acquired ({FILES} is missing): run acquire first"
        raise InputError(message)
    rows = pq.read_table(raw / FILES, schema=_SCHEMA).to_pylist()
    lists = [each.name for each in fields(FileFacts) if "tuple" in str(each.type)]
    files = [FileFacts(**row | {name: tuple(row[name]) for name in lists}) for row in rows]
    return Index(files=files, labels=read_labels(raw / LABELS))


def _relative_paths(scanner: Scanner, leave_out: Path) -> list[str]:
    """Return the files that a scanner wants, the table of labels and hidden folders left out."""
    if not scanner.folder.is_dir():
        message = f"{scanner.folder}: no such folder"
        raise InputError(message)
    table = leave_out.resolve()
    found = []
    for here, folders, names in os.walk(scanner.folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        paths = [Path(here, name) for name in names if scanner.wants(name)]
        found += [
            path.relative_to(scanner.folder).as_posix()
            for path in paths
            if path.is_file() and path.resolve() != table
        ]
    if not found:
        message = f"{scanner.folder}: the folder holds no file of the format"
        raise InputError(message)
    return sorted(found)
