"""The mean and the weak level of calibration of the model shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from pipeline.errors import InputError
from pipeline.method_names import titled
from pipeline.metrics.calibration_in_the_large import confidence_gap
from pipeline.metrics.cox import cox_line, one_vs_rest_log_odds
from pipeline.metrics.weighting import Weights
from pipeline.tables.parts.column import (
    CALIBRATOR,
    LOSS,
    QUANTITY,
    SEED,
    Across,
    Column,
    number,
    points,
)
from pipeline.tables.parts.rendering import cell, rendered
from pipeline.tables.parts.resampled import interval_ends, resampled_statistic
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.spec import TableSpec

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


SHOWN = {
    "gap": ("mean: confidence minus accuracy, points", "0"),
    "intercept": ("weak: intercept", "0"),
    "slope": ("weak: slope", "1"),
    "curve": ("moderate: the curve", "the diagonal"),
    "patients": ("strong: every patient", "–"),
}
"""The levels of calibration, from weak to strong, each with what a calibrated model has."""

IN_WORDS = {"curve": "see reliability", "patients": "not assessable"}
"""Levels that no number tells."""


def shown_levels(scores: Scores) -> Table:
    """Return the levels of calibration of the headline loss."""
    frame = scores.shown("levels", every=["calibrator"])
    calibrators = list(frame["calibrator"].unique())
    words = pd.MultiIndex.from_product([IN_WORDS, calibrators], names=["quantity", "calibrator"])
    return rendered(
        "levels",
        f"Levels of calibration of {scores.loss}, with 95% patient "
        "bootstraps. A slope below 1 is too extreme, above 1 too timid.",
        [
            QUANTITY.shown_as("Level", write=lambda row: SHOWN[row["quantity"]][0]),
            number("ideal", "If calibrated", write=lambda row: SHOWN[row["quantity"]][1]),
        ],
        pd.concat([frame, words.to_frame(index=False)]),
        across=Across("calibrator", calibrators, _after),
        behind=frame,
    )


def _after(calibrator: str) -> Column:
    return number("level", calibrator, meaning=titled(calibrator), write=_level)


def _level(row: Mapping[str, Any]) -> Cell | str:
    if row["quantity"] in IN_WORDS:
        return IN_WORDS[row["quantity"]]
    column = points if row["quantity"] == "gap" else partial(number, digits=2)
    return cell(column("value", ends=("lower", "upper")), row)


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
