"""Score tables as one tidy table, a value a row, and back again: what of them is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError
from pipeline.tables import TABLES as SPECS

KEYS = ("loss", "calibrator", "seed")
PUBLISHED = ("runs", "long_tail", "ood", "shift", "site_recalibration")
"""Score tables of which numbers are published; only the first is in every experiment."""

TABLES: dict[str, tuple[str, ...]] = {
    name: tuple(key for key in SPECS[name].keys if key not in KEYS) for name in PUBLISHED
}
"""By name, what tells the rows of one loss, calibrator and seed apart there."""

CONDITIONS = tuple(dict.fromkeys(column for columns in TABLES.values() for column in columns))
WHOLE_NUMBERS = ("seed", "severity")
TEXT = tuple(name for name in (*KEYS, *CONDITIONS) if name not in WHOLE_NUMBERS)
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("study", "experiment", "table")]
    + [(n, pa.int64() if n in WHOLE_NUMBERS else pa.string()) for n in (*KEYS, *CONDITIONS)]
    + [("metric", pa.string()), ("value", pa.float64())]
)
"""Columns of the tidy table; a condition that a table has not is null."""


def require_columns(table: pd.DataFrame, columns: Iterable[str], *, place: str) -> None:
    """Raise `InputError` naming the first column that a table lacks, and those it has."""
    for column in columns:
        if column not in table.columns:
            message = f"{place}: column '{column}' expected, got: {', '.join(table.columns)}"
            raise InputError(message)


def tidy(
    study: str,
    experiment: str,
    tables: Mapping[str, pd.DataFrame],
    metrics: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """Return an experiment's score tables as one, a row a value.

    Parameters
    ----------
    study, experiment : str
    tables : mapping of str to DataFrame
        Some of `TABLES`, one column a metric.
    metrics : mapping of str to sequence of str
        By table, those to keep; a table without any is left out.

    Returns
    -------
    DataFrame
        Columns of `SCHEMA`. Rows go by table and metric, and within both as in the table.
    """
    parts = []
    for name, conditions in TABLES.items():
        if name not in tables:
            continue
        for metric in metrics.get(name, ()):
            columns = [*KEYS, *conditions]
            place = f"scores of {study}/{experiment}, {name}.csv"
            require_columns(tables[name], [*columns, metric], place=place)
            part = tables[name][columns].assign(metric=metric, value=tables[name][metric])
            parts.append(part.assign(study=study, experiment=experiment, table=name))
    return pd.concat(parts, ignore_index=True).reindex(columns=SCHEMA.names)


def wide(rows: pd.DataFrame, table: str, *, place: str) -> pd.DataFrame:
    """Return one experiment's rows of one table with a column a metric, as it was before `tidy`.

    Raises
    ------
    InputError
        If its metrics are not given for the same rows, or a row stands there twice.
    """
    columns = [*KEYS, *TABLES[table]]
    found: pd.DataFrame | None = None
    for metric, part in rows.groupby("metric", sort=False):
        keys = part[columns].reset_index(drop=True)
        if found is None:
            found = keys
        elif not keys.equals(found[columns]):
            message = f"{place}: table {table}: other rows of {metric} than of the metrics before"
            raise InputError(message)
        found = found.assign(**{str(metric): part["value"].to_numpy()})
    if found is None:
        message = f"{place}: table {table}: at least one row expected, got none"
        raise InputError(message)
    if found[columns].duplicated().any():
        message = f"{place}: table {table}: a row stands there twice"
        raise InputError(message)
    return found


def write_tidy(table: pd.DataFrame, path: Path) -> None:
    """Write the tidy table as Parquet: equal tables, equal bytes, no digit lost.

    Words go into dictionaries. The bytes of numbers are split by place, so that the signs and
    exponents, which are much the same, lie together.
    """
    columns = [pa.array(table[f.name], type=f.type, from_pandas=True) for f in SCHEMA]
    pq.write_table(
        pa.Table.from_arrays(columns, schema=SCHEMA),
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=[name for name in SCHEMA.names if name != "value"],
        column_encoding={"value": "BYTE_STREAM_SPLIT"},
        row_group_size=len(table),
        write_statistics=False,
    )


def read_tidy(path: Path) -> pd.DataFrame:
    """Return a tidy table; raise `InputError` naming a file that is absent or holds another."""
    if not path.is_file():
        message = f"{path}: no such file"
        raise InputError(message)
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        message = f"{path}: no Parquet file any more: {error}"
        raise InputError(message) from error
    if not table.schema.equals(SCHEMA):
        names = ", ".join(f"{f.name} ({f.type})" for f in table.schema)
        message = f"{path}: columns {', '.join(SCHEMA.names)} expected, got: {names}"
        raise InputError(message)
    frame = table.to_pandas()
    # A table that has severities has one in every row; elsewhere they are null.
    return frame.astype({"severity": "Int64"})
