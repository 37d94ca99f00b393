"""The score files of one experiment, checked as they are read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.artifacts import read_json
from pipeline.errors import InputError
from pipeline.outgoing_text import from_csv
from pipeline.tables import TABLES
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.spec import TableSpec


def read_scores(folder: Path) -> Scores:
    """Return the scores in a folder.

    Raises
    ------
    InputError
        If a file or a column is missing, or a file holds no rows; the message names it.
    """
    record = read_json(folder / "experiment.json")
    if "images" not in record["dataset"]:
        message = f"{folder / 'experiment.json'}: key 'dataset.images' expected: run evaluate first"
        raise InputError(message)
    return Scores(
        record=record,
        provenance=read_json(folder / "provenance.json"),
        frames={
            name: _read_table(folder / f"{name}.csv", spec)
            for name, spec in TABLES.items()
            if spec.required or (folder / f"{name}.csv").is_file()
        },
    )


def _read_table(path: Path, spec: TableSpec) -> pd.DataFrame:
    if not path.is_file():
        message = f"{path}: no such file: run evaluate first"
        raise InputError(message)
    # Only an empty cell is undefined: a class may well be called NA or null.
    words = [column.name for column in spec.columns if column.kind == "text"]
    table = from_csv(
        pd.read_csv(path, dtype=dict.fromkeys(words, str), keep_default_na=False, na_values=[""])
    )
    for column in spec.columns:
        if column.name not in table.columns:
            message = f"{path}: column '{column.name}' expected, got: {', '.join(table.columns)}"
            raise InputError(message)
    if table.empty and not spec.may_be_empty:
        message = f"{path}: at least one row expected, got none"
        raise InputError(message)
    return table.assign(**{name: table[name].fillna("") for name in words})
