"""Acquire a folder: write down what is in it and what its labels are, without who is in it.

Neither the pixel files nor the table are copied: what a data version keeps, and may push to a
remote, is keyed hashes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.adapters.case import NOT_RECORDED
from pipeline.adapters.folder_listing import FAULTS, canonical_path, list_folder, require_distinct
from pipeline.adapters.identity import Pseudonyms, hide_names
from pipeline.adapters.label_table import (
    Labelled,
    LabelTableArguments,
    label_rows,
    read_labels,
    read_rows,
    write_labels,
)
from pipeline.adapters.parallel import ordered_map
from pipeline.errors import InputError
from pipeline.metrics.side_by_side import available_cores
from pipeline.parquet_table import read_parquet

FILES = "files.parquet"
LABELS = "labels.parquet"
_FILES_A_WORKER = 4096


@dataclass(frozen=True)
class FileFacts:
    """One file of the index.

    ``file sop series study accession patient`` are keyed hashes, empty where the header has none,
    as `sha256` is in an index of patients' files and `source`, part by part;
    `positions` holds three numbers a frame, in mm; `fault` says why the file is of no use.
    """

    source: str
    sha256: str
    num_bytes: int
    file: str
    fault: str = ""
    advice: str = ""
    sop: str = ""
    series: str = ""
    study: str = ""
    accession: str = ""
    patient: str = ""
    site: str = NOT_RECORDED
    sex: str = NOT_RECORDED
    age: float | None = None
    num_rows: int = 0
    num_columns: int = 0
    num_frames: int = 0
    num_samples: int = 0
    instance_number: int | None = None
    positions: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    pixel_spacing: tuple[float, ...] = ()
    burned_in: bool = False

    @property
    def num_pixels(self) -> int:
        """How many values the header claims."""
        return self.num_rows * self.num_columns * self.num_frames * self.num_samples


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
    is_public: bool = False,
) -> None:
    """Scan a folder and its table into ``raw/files.parquet`` and ``raw/labels.parquet``.

    Paths and hashes of files leave as the scanner's pseudonyms, unless nobody is in the folder.

    Raises `InputError` if the folder is absent or empty, or the table cannot be read; if two of the
    folder's paths are spelt alike.
    """
    rows = read_rows(table)
    files = _scanned(scanner, leave_out=Path(table.table))
    if not is_public:
        files = [_masked(facts, scanner.pseudonyms) for facts in files]
    require_distinct((facts.source for facts in files), scanner.folder)
    table_of_files = pa.Table.from_pylist([asdict(facts) for facts in files], schema=_SCHEMA)
    pq.write_table(table_of_files, raw / FILES)
    write_labels(label_rows(rows, table, classes, scanner.pseudonyms), raw / LABELS)


def read_index(raw: Path) -> Index:
    """Return what `write_index` wrote; `InputError` if nothing was acquired, or it is damaged."""
    if not (raw / FILES).is_file():
        message = f"{raw}: nothing acquired ({FILES} is missing): run acquire first"
        raise InputError(message)
    table = read_parquet(raw / FILES)
    if not table.schema.equals(_SCHEMA):
        message = f"{raw / FILES}: an index of files expected: run acquire again"
        raise InputError(message)
    rows = table.to_pylist()
    lists = [each.name for each in fields(FileFacts) if "tuple" in str(each.type)]
    files = [FileFacts(**row | {name: tuple(row[name]) for name in lists}) for row in rows]
    return Index(files=files, labels=read_labels(raw / LABELS))


def _scanned(scanner: Scanner, leave_out: Path) -> list[FileFacts]:
    """Return the facts of what a scanner wants, the table of labels left out, in paths' order.

    A broken link is listed whatever its name: nobody can say what it led to.
    """
    listing = list_folder(scanner.folder)
    table = leave_out.resolve()
    wanted = [
        name
        for name in listing.files
        if scanner.wants(name.rsplit("/", 1)[-1]) and (scanner.folder / name).resolve() != table
    ]
    if not wanted:
        message = f"{scanner.folder}: the folder holds no file of the format"
        raise InputError(message)
    workers = min(available_cores(), 1 + len(wanted) // _FILES_A_WORKER)
    files = [*ordered_map(scanner, wanted, workers=workers)]
    files += [
        FileFacts(name, "", 0, file="", fault=fault, advice=FAULTS[fault])
        for name, fault in listing.faults.items()
    ]
    # Keyed by the path as a table would spell it, whatever system wrote either.
    keyed = [
        replace(facts, file=scanner.pseudonyms("file", canonical_path(facts.source)))
        for facts in files
    ]
    return sorted(keyed, key=lambda facts: facts.source)


def _masked(facts: FileFacts, pseudonyms: Pseudonyms) -> FileFacts:
    sha256 = pseudonyms.of_content(facts.sha256) if facts.sha256 else ""
    return replace(facts, source=hide_names(facts.source, pseudonyms), sha256=sha256)
