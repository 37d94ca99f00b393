"""A place's own patients in three parts, so that nothing is tried on whom it was fitted to."""

from __future__ import annotations

import numpy as np

from pipeline.artifacts import Predictions
from pipeline.bring_your_own.cases import take
from pipeline.errors import InputError

SHARES = {"calibration": 0.25, "threshold": 0.5, "test": 0.25}
"""Of the patients. A guarantee asks for most, a calibrator that leans on its source for least."""

SEED = 0

LEAST_PATIENTS = 20
"""Fewer leave five to calibrate on, and as many to try it on."""


def split_patients(predictions: Predictions) -> dict[str, Predictions]:
    """Return the cases of each part; all cases of a patient are in one.

    Drawn from the sorted names of the patients with the seed `SEED`: equal patients, equal parts,
    in whatever order the cases stand.

    Raises
    ------
    InputError
        If there are fewer patients than `LEAST_PATIENTS`.
    """
    patients = np.unique(predictions.patients.astype(str))
    if len(patients) < LEAST_PATIENTS:
        message = (
            f"too few cases: at least {LEAST_PATIENTS} labelled patients expected, got "
            f"{len(patients)}: {LEAST_PATIENTS - len(patients)} more are needed"
        )
        raise InputError(message)
    shuffled = np.random.default_rng(SEED).permutation(patients)
    ends = np.rint(np.cumsum(list(SHARES.values())) * len(patients)).astype(int)
    parts = np.split(shuffled, ends[:-1])
    return {
        name: take(predictions, np.isin(predictions.patients.astype(str), part))
        for name, part in zip(SHARES, parts, strict=True)
    }
