"""A team's own table of labels: one row a key, read as text, its keys hashed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.adapters.case import NOT_RECORDED
from pipeline.adapters.folder_listing import canonical_path
from pipeline.adapters.people import age_from_dicom, is_unknown, normal_age, normal_sex
from pipeline.config.dataset import SPLITS
from pipeline.config.reading import Strict
from pipeline.csv_table import absent_column, read_csv
from pipeline.errors import InputError, located
from pipeline.identifiers import cell_text, is_rounded
from pipeline.parquet_table import is_binary, python_values, read_parquet

KeyKind = Literal["sop", "series", "study", "accession", "patient", "file"]

_WITH_FRACTION = re.compile(r"([0-9]+)\.0+")

_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("key", "fault", "advice", "patient", "site", "sex", "split")]
    + [("row", pa.int32()), ("label", pa.int32()), ("age", pa.float64())]
    + [("truth", pa.list_(pa.float64()))]
)


class LabelTableArguments(Strict):
    """Where the table is and what its columns mean.

    `key` says what `key_column` holds: a SOP instance, series or study UID, an accession number, a
    patient ID, or a file's path below the folder, with slashes of either kind. A label is a class's
    name, or what `label_names` translates into one. The other columns are optional and carry what
    no header says or should be believed for: they win over the header.
    """

    table: str
    key: KeyKind
    key_column: str
    label_column: str = "label"
    label_names: dict[str, str] = {}
    patient_column: str | None = None
    site_column: str | None = None
    sex_column: str | None = None
    age_column: str | None = None
    split_column: str | None = None
    truth_columns: list[str] = []
    allow_rows_without_files: bool = False

    def columns(self) -> list[str]:
        """Return the columns that the table must have."""
        optional = (
            self.patient_column, self.site_column, self.sex_column, self.age_column,
            self.split_column,
        )  # fmt: skip
        named = [name for name in optional if name is not None]
        return [self.key_column, self.label_column, *named, *self.truth_columns]


@dataclass(frozen=True)
class Labelled:
    """What the table says of one key; `fault` where what it says cannot be used.

    `row` is the first row that says so, counted as a spreadsheet does: the header is row 1.
    """

    key: str
    row: int = field(default=0, compare=False)
    label: int = -1
    fault: str = ""
    advice: str = ""
    patient: str = ""
    site: str = NOT_RECORDED
    sex: str = NOT_RECORDED
    age: float | None = None
    split: str | None = None
    truth: tuple[float, ...] | None = None


def read_rows(arguments: LabelTableArguments) -> list[dict[str, str]]:
    """Return the table's rows as text, empty where a cell is.

    Raises `InputError` if the file is absent, is neither CSV nor Parquet, lacks a column or has
    none of its rows; the message tells no cell, since without a header the first patient stands
    there.
    """
    path = Path(arguments.table)
    columns = _columns(path)
    with located(path):
        needed = list(dict.fromkeys(arguments.columns()))
        for name in needed:
            if name not in columns:
                raise InputError(absent_column(path, name, len(columns)))
        if not len(next(iter(columns.values()))):
            message = "the table has no rows"
            raise InputError(message)
        cells = [[_cell(value) for value in _values(columns[name], name)] for name in needed]
    return [dict(zip(needed, row, strict=True)) for row in zip(*cells, strict=True)]


def _columns(path: Path) -> Mapping[str, Sequence[str] | pa.ChunkedArray]:
    if path.suffix.lower() == ".parquet":
        table = read_parquet(path)
        return {name: table[name] for name in table.column_names}
    if not path.is_file():
        message = f"{path}: no such file"
        raise InputError(message)
    # As text, so that a patient "0042" keeps its zeros.
    return read_csv(path, breaks=True)


def _values(column: Sequence[str] | pa.ChunkedArray, name: str) -> Sequence[Any]:
    if not isinstance(column, pa.ChunkedArray):
        return column
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_nested(kind) or is_binary(kind):
        message = f"column '{name}': a word or a number in every row expected, got {kind}"
        raise InputError(message)
    with located(f"column '{name}'"):
        return python_values(column)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return cell_text(value).strip()


def label_rows(
    rows: list[dict[str, str]],
    arguments: LabelTableArguments,
    classes: list[str],
    hashed: Callable[[str, str], str],
) -> dict[str, Labelled]:
    """Return what the table says, by hashed key.

    A key whose rows contradict one another, or of which something cannot be used, carries a fault.

    `hashed` turns a kind ("patient", "sop" ...) and a value into its keyed hash.

    Raises `InputError` if `label_names` translates into no class, or `truth_columns` are not one a
    class.
    """
    _require_for_classes(arguments, classes)
    labelled: dict[str, Labelled] = {}
    for number, row in enumerate(rows, start=2):
        each = replace(_labelled(row, arguments, classes, hashed), row=number)
        known = labelled.setdefault(each.key, each)
        if known != each and not known.fault:
            advice = "give the case one row, or rows that agree"
            labelled[each.key] = Labelled(
                each.key, row=known.row, fault="conflicting labels", advice=advice
            )
    return labelled


def _require_for_classes(arguments: LabelTableArguments, classes: list[str]) -> None:
    if strangers := sorted(set(arguments.label_names.values()) - set(classes)):
        message = f"labels.label_names: names of classes expected, got {strangers[:3]}"
        raise InputError(message)
    if len(arguments.truth_columns) not in (0, len(classes)):
        message = (
            f"labels.truth_columns: one column for each of {len(classes)} classes expected, "
            f"got {len(arguments.truth_columns)}"
        )
        raise InputError(message)


def _labelled(
    row: dict[str, str],
    arguments: LabelTableArguments,
    classes: list[str],
    hashed: Callable[[str, str], str],
) -> Labelled:
    spelt = canonical_path if arguments.key == "file" else _identifier
    key = hashed(arguments.key, spelt(row[arguments.key_column]))
    stated = row[arguments.label_column]
    name = arguments.label_names.get(stated, stated)
    split = row[arguments.split_column] if arguments.split_column else None
    truth = tuple(_number(row[column]) for column in arguments.truth_columns) or None
    # The value stays out of the fault: a wrong column may hold a patient's name.
    if name not in classes:
        return Labelled(key, fault="label outside the classes", advice=f"known: {classes}")
    if split is not None and split not in SPLITS:
        return Labelled(key, fault="unknown split", advice=f"known: {', '.join(SPLITS)}")
    if truth is not None and not _is_distribution(truth, len(classes)):
        advice = "give one probability a class, summing to 1"
        return Labelled(key, fault="truth is no distribution", advice=advice)
    found = Labelled(key, label=classes.index(name), split=split, truth=truth)
    return _with_patient(found, row, arguments, hashed)


def _with_patient(
    found: Labelled,
    row: dict[str, str],
    arguments: LabelTableArguments,
    hashed: Callable[[str, str], str],
) -> Labelled:
    def cell(column: str | None) -> str:
        return row[column] if column else ""

    patient, sex, age = (
        cell(column)
        for column in (arguments.patient_column, arguments.sex_column, arguments.age_column)
    )
    if is_rounded(patient):
        advice = "a spreadsheet rounded the number: export the column as text"
        return Labelled(found.key, fault="unusable patient", advice=advice)
    if normal_sex(sex) == NOT_RECORDED and not is_unknown(sex):
        advice = "known: female, male, other, their first letters, or an empty cell"
        return Labelled(found.key, fault="unusable sex", advice=advice)
    if _age(age) is None and not is_unknown(age):
        advice = "give years from 0 to 149 as a number, or leave the cell empty"
        return Labelled(found.key, fault="unusable age", advice=advice)
    return replace(
        found,
        patient=hashed("patient", _identifier(patient)) if patient else "",
        site=cell(arguments.site_column) or NOT_RECORDED,
        sex=normal_sex(sex),
        age=_age(age),
    )


def _identifier(cell: str) -> str:
    """Return a key as its source has it: a number that shared its column with a gap is 1000.0."""
    match = _WITH_FRACTION.fullmatch(cell)
    return match[1] if match else cell


def _age(cell: str) -> float | None:
    age = normal_age(_number(cell))
    return age_from_dicom(cell) if age is None else age


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _is_distribution(truth: tuple[float, ...], num_classes: int) -> bool:
    in_range = all(0 <= each <= 1 for each in truth)
    return len(truth) == num_classes and in_range and math.isclose(sum(truth), 1, abs_tol=1e-6)


def write_labels(labelled: dict[str, Labelled], path: Path) -> None:
    """Write what a table says, ordered by hashed key, as Parquet."""
    rows = [asdict(labelled[key]) for key in sorted(labelled)]
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), path)


def read_labels(path: Path) -> dict[str, Labelled]:
    """Return what `write_labels` wrote; `InputError` names the file where it is something else."""
    table = read_parquet(path)
    if table.column_names != _SCHEMA.names or table.column("key").null_count:
        message = f"{path}: the labels of a table expected: run acquire again"
        raise InputError(message)
    rows = table.to_pylist()
    return {
        row["key"]: Labelled(**row | {"truth": tuple(row["truth"]) if row["truth"] else None})
        for row in rows
    }
