"""The mean and the weak level of calibration of the model shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.metrics.calibration_in_the_large import confidence_gap
from pipeline.metrics.cox import cox_line, one_vs_rest_log_odds
from pipeline.metrics.weighting import Weights
from pipeline.tables.parts.column import CALIBRATOR, LOSS, QUANTITY, SEED, number
from pipeline.tables.parts.resampled import interval_ends, resampled_statistic
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import missing, signed

LINE_RESAMPLES = 200
"""Of a Cox line's interval: each resample is a fit of its own, so there are fewer."""


def levels_table(
    run: Run, calibrators: Sequence[str], *, num_resamples: int, seed: int
) -> pd.DataFrame:
    """Return the mean and the weak level of calibration of one run, with 95 % patient bootstraps.

    Columns loss, calibrator, seed, quantity, value, lower, upper. Quantities: ``gap``, mean
    confidence minus accuracy; ``slope`` and ``intercept`` (at slope one) of Cox's line of being
    right on the log-odds of the confidence. A line that does not exist is empty.
    """
    rows = []
    for calibrator in calibrators:
        top = run.test.top(calibrator)
        gaps = resampled_statistic(
            run,
            partial(confidence_gap, top.confidence, top.correct),
            num_resamples=num_resamples,
            seed=seed,
        )
        gap = float(confidence_gap(top.confidence, top.correct))
        key = run.key(calibrator)
        rows.append(key | {"quantity": "gap", "value": gap} | interval_ends(gaps))
        rows += [key | row for row in _line_rows(run, calibrator, seed=seed)]
    return pd.DataFrame(rows)


def _line_rows(run: Run, calibrator: str, *, seed: int) -> list[dict[str, Any]]:
    top = run.test.top(calibrator)
    log_odds = one_vs_rest_log_odds(run.test.log_probabilities[calibrator])
    log_odds = log_odds[np.arange(len(log_odds)), top.predicted]

    def line(weights: Weights | None = None) -> tuple[float, float]:
        try:
            found = cox_line(log_odds, top.correct, weights=weights)
        except InputError:
            # A resample may be right throughout, or parted by the log-odds: it has no line.
            return np.nan, np.nan
        return found.intercept_at_slope_one, found.slope

    def lines(weights: Weights) -> Float[np.ndarray, "block 2"]:
        return np.array([line(row) for row in weights])

    resampled = resampled_statistic(run, lines, num_resamples=LINE_RESAMPLES, seed=seed)
    return [
        {"quantity": quantity, "value": value} | interval_ends(resampled[:, number])
        for number, (quantity, value) in enumerate(zip(("intercept", "slope"), line(), strict=True))
    ]


IDEAL = {"gap": "0", "intercept": "0", "slope": "1"}

LEVEL_LABELS = {
    "gap": "mean: confidence minus accuracy, points",
    "intercept": "weak: intercept",
    "slope": "weak: slope",
}


def shown_levels(scores: Scores) -> Table | None:
    """Return the levels of calibration of the headline loss; None where they were not computed."""
    if scores.frame("levels").empty:
        return None
    frame = scores.shown("levels", every=["calibrator"])
    calibrators = list(frame["calibrator"].unique())
    values = {(row["quantity"], row["calibrator"]): row for _, row in frame.iterrows()}
    rows = [
        (
            Cell(label),
            Cell(IDEAL[quantity]),
            *(_level_cell(quantity, values[(quantity, each)]) for each in calibrators),
        )
        for quantity, label in LEVEL_LABELS.items()
    ]
    for level, ideal, word in (
        ("moderate: the curve", "the diagonal", "see reliability"),
        ("strong: every patient", "–", "not assessable"),
    ):
        rows.append((Cell(level), Cell(ideal), *(Cell(word) for _ in calibrators)))
    return Table(
        name="levels",
        caption=f"Levels of calibration of {scores.record['headline_loss']}, with 95% patient "
        "bootstraps. A slope below 1 is too extreme, above 1 too timid.",
        columns=(
            Heading("Level", numeric=False),
            Heading("If calibrated"),
            *(Heading(calibrator) for calibrator in calibrators),
        ),
        rows=tuple(rows),
        frame=frame,
    )


def _level_cell(quantity: str, row: pd.Series) -> Cell:
    def write(number: float) -> str:
        return signed(100 * number) if quantity == "gap" else f"{number:.2f}".replace("-", "−")

    if missing(row["value"]):
        return Cell("–")
    ends = "" if missing(row["lower"]) else f"{write(row['lower'])} to {write(row['upper'])}"
    return Cell(write(row["value"]), ends)


LEVELS = TableSpec(
    name="levels",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        QUANTITY,
        number("value"),
        number("lower"),
        number("upper"),
    ),
    compute=lambda experiment: levels_table(
        experiment.shown, experiment.before_and_after, **experiment.bootstrap
    ),
    section="calibration",
    show=lambda scores: [shown_levels(scores)],
)
