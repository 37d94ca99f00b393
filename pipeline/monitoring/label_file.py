"""Labels that come in late: a table to which rows are added at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.csv_table import absent_column, read_csv
from pipeline.errors import InputError, located

COLUMNS = ("patient", "study", "label")
KEYS = ["patient", "study"]


def read_labels(path: Path, log: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return one label a study, in the order of the rows, which is that of their arrival.

    Parameters
    ----------
    path : Path
        A CSV table with the columns `COLUMNS`; patients and studies are named as in the log.
    log : DataFrame
        See `pipeline.monitoring.decision_log.read_decisions`.
    classes : sequence of str
        What a label may be.

    Raises
    ------
    InputError
        Naming the file and the first row with no such patient, study or class, or with another
        label than a row before it has.
    """
    columns = read_csv(path)
    with located(path):
        for name in COLUMNS:
            if name not in columns:
                message = absent_column(path, name, len(columns))
                raise InputError(message)
        labels = pd.DataFrame({name: columns[name] for name in COLUMNS}, dtype=object)
        labels = labels.apply(lambda column: column.str.strip())
        listed = ", ".join(classes)
        _require(labels["label"].isin(classes), f"a class of the release expected: {listed}")
        _require(labels["patient"].isin(log["patient"]), "a patient of the log expected")
        known = labels.merge(log[KEYS], on=KEYS, how="left", indicator=True)["_merge"] == "both"
        _require(known, "a study of this patient in the log expected")
        first = labels.groupby(KEYS, sort=False)["label"].transform("first")
        _require(labels["label"] == first, "the label of the row before on this study expected")
    return labels.drop_duplicates(KEYS, ignore_index=True)


def _require(sound: pd.Series, fault: str) -> None:
    if not sound.all():
        row = int(np.flatnonzero(~sound.to_numpy())[0]) + 1
        message = f"row {row} below the header: {fault}"
        raise InputError(message)
