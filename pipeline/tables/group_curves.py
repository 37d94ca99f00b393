"""How each group of patients fares as more is answered: its own risk-coverage curve."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.metrics.group_shares import ordered_names, visibilities
from pipeline.metrics.selective import risk_coverage_curve
from pipeline.tables.parts.column import CALIBRATOR, COLUMN, GROUP, LOSS, SEED, count, share
from pipeline.tables.parts.curves import exact_points
from pipeline.tables.parts.group_columns import group_columns
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import threshold_text

MAX_POINTS = 100
"""Rows of one group's curve."""


def group_curves_table(run: Run, calibrator: str) -> pd.DataFrame:
    """Return the risk-coverage curve of every group of test patients that is shown in full.

    Columns loss, calibrator, seed, column, group, patients, threshold, coverage (of the group's
    patients), answered, wrong (with a wrong case in the group), risk, lower, upper (pointwise exact
    95 %). A patient is answered if all of their cases are, in the group or not. From 30 answered
    on, at most 100 attained thresholds a group; groups of fewer than 30 patients, and masked ones,
    have no rows.
    """
    key, patients = run.key(calibrator), run.test.predictions.patients
    units = run.test.units(calibrator)
    wrong = ~np.asarray(run.test.top(calibrator).correct, dtype=bool)
    tables = []
    for column, groups in group_columns(run.test.predictions.groups).items():
        inside = {group: groups == group for group in ordered_names(groups)}
        sizes = {group: len(np.unique(patients[own])) for group, own in inside.items()}
        for group, visibility in visibilities(sizes).items():
            if visibility != "full":
                continue
            own = inside[group]
            members, cases = np.unique(patients[own], return_inverse=True)
            failed = np.bincount(cases, weights=wrong[own]) > 0
            confidence = units.confidence[np.searchsorted(units.patients, members)]
            curve = risk_coverage_curve(confidence, failed)
            about = {"column": column, "group": group, "patients": sizes[group]}
            tables.append(pd.DataFrame(key | about | exact_points(curve, MAX_POINTS)))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


NUM_POINTS = 5
"""Of each curve in the table that a page shows; the files hold all."""


def shown_group_curves(frame: pd.DataFrame) -> Table:
    """Return a few thresholds of each group; `frame` is of the model shown."""
    curves = [own for _, own in frame.groupby(["column", "group"], sort=False)]
    places = [np.unique(np.linspace(0, len(own) - 1, NUM_POINTS).astype(int)) for own in curves]
    return rendered(
        "group_curves",
        f"Risk and coverage by group, {NUM_POINTS} thresholds of each at most, with "
        "pointwise exact 95% intervals; the files hold every point that is drawn.",
        GROUP_CURVES.only("column", "group", "threshold", "answered", "wrong"),
        pd.concat([own.iloc[few] for own, few in zip(curves, places, strict=True)]),
        behind=frame,
    )


GROUP_CURVES = TableSpec(
    name="group_curves",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        COLUMN,
        GROUP,
        count("patients"),
        share(
            "threshold",
            "Confidence from",
            key=True,
            write=lambda row: threshold_text(row["threshold"]),
        ),
        share("coverage"),
        count("answered", "Answered", of="patients", rate="coverage"),
        count("wrong", "Wrong", unit="of the answered", rate="risk", ends=("lower", "upper")),
        share("risk"),
        share("lower"),
        share("upper"),
    ),
    compute=lambda experiment: group_curves_table(
        experiment.shown, experiment.row.headline_calibrator
    ),
)
