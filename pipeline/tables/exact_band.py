"""One seed's risk-coverage curve over test patients, with pointwise exact limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.method_names import heading
from pipeline.tables.operating_points import OPERATING_POINTS
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, count, number, share
from pipeline.tables.parts.curves import exact_points, patient_curve
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run, by_loss
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import counted, share_of

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


def shown_thresholds(scores: Scores, rows: pd.DataFrame, name: str, caption: str) -> Table:
    """Return what some thresholds of the model shown answer, refer and leave wrong."""
    total = int(scores.frame("operating_points")["num_test"].iloc[0])
    answered, wrong = rows["answered"], rows["wrong"]
    everybody = scores.shown("exact_band").iloc[-1]
    return rendered(
        name,
        f"{caption} {heading(scores.model)}; {counted(total, f'test {scores.unit}')}.",
        [
            share("threshold", "Confidence from", digits=2),
            count("answered", "Answered", rate="of_all"),
            count("referred", "Referred", rate="referred_of_all"),
            share("risk", "Wrong among answered", write=_wrong),
            number("per_thousand", "Wrong", unit="per 1,000 arriving"),
            number("at_random", "Wrong, referring at random", unit="per 1,000 arriving"),
        ],
        rows.assign(
            of_all=answered / total,
            referred=total - answered,
            referred_of_all=1 - answered / total,
            per_thousand=1000 * wrong / total,
            at_random=1000 * everybody["wrong"] / everybody["answered"] * answered / total,
        ),
        behind=rows,
    )


def _wrong(row: Mapping[str, Any]) -> str:
    return share_of(int(row["wrong"]), int(row["answered"]))


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
