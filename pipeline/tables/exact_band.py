"""One seed's risk-coverage curve over test patients, with pointwise exact limits."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.tables.operating_points import OPERATING_POINTS
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, count, share
from pipeline.tables.parts.curves import exact_points, patient_curve
from pipeline.tables.parts.run import Run, by_loss
from pipeline.tables.parts.spec import TableSpec

MAX_POINTS = 200
"""Rows of one exact curve: enough for the eye, few enough for a page."""


def exact_band_table(runs: Sequence[Run], operating_points: pd.DataFrame) -> pd.DataFrame:
    """Return the first seed's curve over test patients with pointwise exact 95 % limits.

    Columns loss, calibrator, seed, threshold, coverage, answered, wrong, risk, lower, upper. A
    patient is answered if all of their cases are, and wrong if any of these is. From 30 answered
    patients on; at most 200 attained thresholds, evenly chosen, the last always answering all, and
    among them what each threshold of the `operating_points_table` answers.
    """
    rows = []
    for loss, seeds in by_loss(runs):
        for calibrator in seeds[0].calibrators:
            curve = patient_curve(seeds[0].test, calibrator)
            key = {"loss": loss, "calibrator": calibrator, "seed": seeds[0].seed}
            own = (operating_points[list(key)] == pd.Series(key)).all(axis=1)
            approved = operating_points.loc[own, "threshold"].dropna().to_numpy()
            rows.append(pd.DataFrame(key | exact_points(curve, MAX_POINTS, approved)))
    return pd.concat(rows, ignore_index=True)


def nearest_rows(band: pd.DataFrame, coverages: Sequence[float]) -> list[int]:
    """Return the places of the rows whose coverage is nearest to each, once each, in order.

    >>> nearest_rows(pd.DataFrame({"coverage": [0.2, 0.5, 1.0]}), (0.1, 0.3, 0.9))
    [0, 2]
    """
    return sorted({int((band["coverage"] - each).abs().argmin()) for each in coverages})


EXACT_BAND = TableSpec(
    name="exact_band",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        share("threshold", key=True),
        share("coverage"),
        count("answered"),
        count("wrong"),
        share("risk"),
        share("lower"),
        share("upper"),
    ),
    compute=lambda experiment: exact_band_table(
        experiment.runs, experiment.frame(OPERATING_POINTS)
    ),
    required=True,
    may_be_empty=True,
)
