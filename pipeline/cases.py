"""The table of a prepared data set: one row a case, checked when written and when read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError, located
from pipeline.parquet_table import read_parquet
from pipeline.splits import SPLITS

if TYPE_CHECKING:
    import pandera.pandas as pandera

SHA256 = r"[0-9a-f]{64}"

COLUMNS = pa.schema(
    [
        ("case", pa.string()),
        ("patient", pa.string()),
        ("group", pa.string()),
        ("site", pa.string()),
        ("sex", pa.string()),
        ("age", pa.float64()),
        ("label", pa.int32()),
        ("split", pa.string()),
        ("source", pa.string()),
        ("source_sha256", pa.string()),
        ("pixel_sha256", pa.string()),
        ("spacing", pa.list_(pa.float64())),
        ("truth", pa.list_(pa.float64())),
    ]
)


def validate_cases(cases: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it is, or raise `InputError` for its first fault.

    Keys are unique, text is present, labels are not negative, splits are known, hashes are
    hashes, ages lie in 0..130 years; spacings are positive and truths are probabilities that sum
    to one, where they are stated.
    """
    # Imported here: the stages that only read images' predictions need none of it.
    from pandera.errors import SchemaError, SchemaErrors

    try:
        return _schema().validate(cases)
    except (SchemaError, SchemaErrors) as error:
        message = f"cases table: {_without_values(' '.join(str(error).split())):.300}"
        raise InputError(message) from error


def _without_values(fault: str) -> str:
    """Return what was expected of a column, without the values that were not so.

    >>> _without_values("series 'case' contains duplicate values: 3 Doe^Jane 4 Doe^Jane")
    "series 'case' contains duplicate values"
    """
    return re.sub(r"( failure cases|(?<= values)): .*", "", fault)


def write_cases(cases: pd.DataFrame, path: Path) -> None:
    """Write a valid table as Parquet."""
    table = pa.Table.from_pandas(validate_cases(cases), schema=COLUMNS, preserve_index=False)
    # Without pandas' own metadata the bytes depend on the rows alone.
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")


def read_cases(path: Path) -> pd.DataFrame:
    """Return a table that is valid; `InputError` names the file where there is none."""
    table = read_parquet(path)
    with located(path):
        return validate_cases(table.to_pandas())


def _schema() -> pandera.DataFrameSchema:
    import pandera.pandas as pandera

    filled = pandera.Check.str_length(min_value=1)
    digest = pandera.Check.str_matches(rf"^{SHA256}$")
    return pandera.DataFrameSchema(
        {
            "case": pandera.Column(str, filled, unique=True),
            **{name: pandera.Column(str, filled) for name in ("patient", "group", "site", "sex")},
            "age": pandera.Column(float, pandera.Check.in_range(0, 130), nullable=True),
            "label": pandera.Column("int32", pandera.Check.ge(0)),
            "split": pandera.Column(str, pandera.Check.isin(SPLITS)),
            "source": pandera.Column(str, filled),
            "source_sha256": pandera.Column(str, digest),
            "pixel_sha256": pandera.Column(str, digest),
            "spacing": pandera.Column(object, pandera.Check(_are_positive), nullable=True),
            "truth": pandera.Column(object, pandera.Check(_are_probabilities), nullable=True),
        },
        strict=True,
        ordered=True,
    )


def _are_positive(column: pd.Series) -> pd.Series:
    return column.map(lambda values: _are_numbers(values) and bool((np.asarray(values) > 0).all()))


def _are_probabilities(column: pd.Series) -> pd.Series:
    def is_distribution(values: list[float]) -> bool:
        p = np.asarray(values)
        return _are_numbers(values) and bool((p >= 0).all() and abs(p.sum() - 1) < 1e-6)

    return column.map(is_distribution)


def _are_numbers(values: object) -> bool:
    return np.asarray(values).dtype.kind in "iuf"
