"""A split's logits joined with what is known of its cases: what stages after training read."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.artifacts import Predictions, Prepared
from pipeline.errors import InputError
from pipeline.shapes import Logits

AGE_BANDS = {"<40": (0, 40), "40-59": (40, 60), "60-79": (60, 80), ">=80": (80, np.inf)}
"""Years, from and up to but without."""

NOT_RECORDED = "not recorded"


def join_predictions(prepared: Prepared, rows: np.ndarray, logits: Logits) -> Predictions:
    """Return the predictions of some cases of a prepared data set.

    Parameters
    ----------
    prepared : Prepared
        Its cases have the columns case, patient, label, site, sex, age and truth.
    rows : int array, (cases,)
        Row numbers.
    logits : float array, (cases, classes)
        One row a case, in the order of `rows`.
    """
    cases = prepared.cases.iloc[rows].reset_index(drop=True)
    groups = pd.DataFrame(
        {
            "site": cases["site"].fillna(NOT_RECORDED),
            "sex": cases["sex"].fillna(NOT_RECORDED),
            "age_band": [age_band(age) for age in cases["age"]],
        }
    )
    return Predictions(
        logits=logits,
        labels=cases["label"].to_numpy(dtype=np.int64),
        cases=cases["case"].to_numpy(dtype=str),
        patients=cases["patient"].to_numpy(dtype=str),
        groups=groups,
        truth=_truth(cases["truth"]),
    )


def age_band(age: float | None) -> str:
    """Return the band of an age in years.

    >>> age_band(59.9), age_band(80), age_band(None)
    ('40-59', '>=80', 'not recorded')
    """
    if age is None or pd.isna(age):
        return NOT_RECORDED
    return next(name for name, (start, end) in AGE_BANDS.items() if start <= age < end)


def _truth(column: pd.Series) -> np.ndarray | None:
    return np.stack(column.to_list()) if column.notna().all() else None


def require_every_class(labels: np.ndarray, classes: list[str], *, dataset: str) -> None:
    """Raise `InputError` naming the classes that no training case has.

    >>> require_every_class(np.array([0, 0]), ["benign", "malignant"], dataset="busi")
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: data set busi: no training case of class malignant
    """
    counts = np.bincount(labels, minlength=len(classes))
    if missing := [name for name, count in zip(classes, counts, strict=True) if count == 0]:
        message = f"data set {dataset}: no training case of class {', '.join(missing)}"
        raise InputError(message)
