"""Whom a release answers: the rule that evaluate published, or the same search for an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.releasing.manifest import Rule
from pipeline.releasing.sources import Source
from pipeline.report import read_scores
from pipeline.tables.operating_points import operating_points_table
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.sentences import (
    OperatingPoint,
    guarantee_sentence,
    main_sentence,
    operating_point,
)

SAME_WITHIN = 1e-9
"""Of two thresholds: the published one went through a file's decimals."""


def decide(source: Source, run: Run, unit: str) -> tuple[Rule, OperatingPoint]:
    """Return the release's rule, and the operating point that it comes from.

    Parameters
    ----------
    source : Source
    run : Run
        The source's model.
    unit : str
        What operating points count, see `Scores.unit`.

    Raises
    ------
    InputError
        If evaluate published another threshold for this model.
    """
    choice = source.choice
    table = operating_points_table([run], targets=[choice.target], delta=source.row.delta)
    row = table.iloc[0]
    if not source.is_ensemble:
        _require_published(source, row)
    point = operating_point(row, unit)
    return rule_of(run, point), point


def rule_of(run: Run, point: OperatingPoint) -> Rule:
    """Return the rule of an operating point of a run that has one calibrator."""
    return Rule(
        score="confidence",
        threshold=point.threshold if point.found else None,
        unproven_threshold=_unproven(run, point),
        target=point.target,
        delta=point.delta,
        status=point.status,  # type: ignore[arg-type]
        num_patients=point.num_threshold_patients,
        num_test_patients=point.num_test,
        expected_answered=point.answered / point.num_test,
        expected_risk=point.wrong / point.answered if point.answered else None,
        guarantee=guarantee_sentence(point) or main_sentence(point),
    )


def _unproven(run: Run, point: OperatingPoint) -> float | None:
    """Return the confidence from which as many threshold patients are answered as came closest.

    The candidate with the lowest upper limit, which did not pass: it proves nothing.
    """
    if point.status != "none" or run.threshold is None:
        return None
    (calibrator,) = run.calibrators
    descending = np.sort(run.threshold.units(calibrator).confidence)[::-1]
    return float(descending[int(point.lowest_limit_answered) - 1])


def _require_published(source: Source, row: pd.Series) -> None:
    published = pick(
        read_scores(source.scores).frame("operating_points"),
        **_key(source),
        target=source.choice.target,
    )
    if published.empty:
        message = f"{source.scores}: no operating point of this model: evaluate again"
        raise InputError(message)
    stated, found = published.iloc[0]["threshold"], row["threshold"]
    if pd.isna(stated) and pd.isna(found):
        return
    # Written so that one that is missing fails it too.
    if not abs(stated - found) <= SAME_WITHIN:
        message = f"{source.scores}: threshold {stated:g} expected, got {found:g}: evaluate again"
        raise InputError(message)


def _key(source: Source) -> Mapping[str, Any]:
    choice = source.choice
    return {"loss": choice.loss, "calibrator": choice.calibrator, "seed": choice.seeds[0]}
