"""Accuracy, calibration and the frozen threshold on damaged images and at other sites."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.artifacts import Predictions
from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.operating_points import OPERATING_POINTS
from pipeline.tables.parts.calibration_scores import calibration_columns, calibration_scores
from pipeline.tables.parts.column import CALIBRATOR, KIND, LOSS, PARTNER, SEED, count, share, text
from pipeline.tables.parts.disclosure import Classes, blank, firsts, masked_of, without_hidden
from pipeline.tables.parts.partners import PartnerRun, has_partners, labelled, threshold_at
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Applied
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import count_of, counted, missing, share_of, target_text

CLEAN = "clean"


SEVERITY = re.compile(r"(?P<corruption>.+) (?P<severity>\d+)")
"""How a corrupted set names its views."""


def shift_table(
    partners: Sequence[PartnerRun], points: pd.DataFrame, target: float
) -> pd.DataFrame:
    """Return one row a run, calibrator, partner in scope and view of it, the clean test set first.

    Columns loss, calibrator, seed, partner, kind, view (`clean`, or the cases' site, which of a
    corrupted set is "gaussian noise 3"), corruption and severity (empty and 0 for sites and clean
    cases), cases, patients, accuracy, nll, ece, brier; and, at the threshold that was found at home
    for the target and is left as it is: threshold, answered, wrong, coverage, risk, risk_lower,
    risk_upper (exact 95 %). As in the `operating_points_table` the unit of these is the patient;
    without a threshold nobody is answered, and without an answer there is no risk.
    """
    rows: list[dict[str, Any]] = []
    for each, predictions in labelled(partners, "corruption", "site"):
        for calibrator in each.run.calibrators:
            applied = Applied(predictions, {calibrator: each.log_probabilities(calibrator)})
            threshold = threshold_at(points, each.run, calibrator, target)
            for view, part in _views(each, applied, calibrator):
                named = {"view": view} | _damage(view, each.kind)
                numbers = _numbers(part, calibrator) | _at_threshold(part, calibrator, threshold)
                rows.append(each.key(calibrator) | named | numbers)
    return pd.DataFrame(rows)


def _views(each: PartnerRun, applied: Applied, calibrator: str) -> Iterator[tuple[str, Applied]]:
    yield CLEAN, each.run.test
    sites = applied.predictions.groups["site"].to_numpy()
    for view in dict.fromkeys(sites):
        yield str(view), _part(applied, calibrator, np.flatnonzero(sites == view))


def _part(applied: Applied, calibrator: str, rows: np.ndarray) -> Applied:
    whole = applied.predictions
    predictions = Predictions(
        logits=whole.logits[rows],
        labels=whole.labels[rows],
        cases=whole.cases[rows],
        patients=whole.patients[rows],
    )
    return Applied(predictions, {calibrator: applied.log_probabilities[calibrator][rows]})


def _damage(view: str, kind: str) -> dict[str, Any]:
    match = SEVERITY.fullmatch(view) if kind == "corruption" else None
    if match is None:
        return {"corruption": None, "severity": 0}
    return {"corruption": match["corruption"], "severity": int(match["severity"])}


def _numbers(part: Applied, calibrator: str) -> dict[str, Any]:
    labels = part.predictions.labels
    counts = {"cases": len(labels), "patients": len(np.unique(part.predictions.patients))}
    return counts | calibration_scores(part.log_probabilities[calibrator], labels)


def _at_threshold(part: Applied, calibrator: str, threshold: float) -> dict[str, Any]:
    units = part.units(calibrator)
    accepted = units.confidence >= threshold
    answered, wrong = int(accepted.sum()), int(units.losses[accepted].sum())
    interval = proportion_interval(wrong, answered) if answered else None
    return {
        "threshold": threshold,
        "answered": answered,
        "wrong": wrong,
        "coverage": answered / len(accepted),
        "risk": wrong / answered if answered else None,
        "risk_lower": interval.lower if interval else None,
        "risk_upper": interval.upper if interval else None,
    }


def _disclose(
    spec: TableSpec,
    table: pd.DataFrame,
    classes: Classes,  # noqa: ARG001
) -> pd.DataFrame:
    """Hide small sites, and what few are answered wrongly."""
    shown = pd.Series("full", index=table.index)
    for _, rows in table[table["view"] != CLEAN].groupby("partner", sort=False):
        patients = firsts(rows, "view", "patients")
        few = masked_of(patients)
        kinds = {
            view: "masked" if view in few else "full" if number >= RATE_FROM else "counts"
            for view, number in patients.items()
        }
        shown.loc[rows.index] = rows["view"].map(kinds)
    table = without_hidden(spec, table, shown)
    rare = table["answered"].between(1, MASK_BELOW - 1).fillna(value=False).astype(bool)
    return blank(table, ("wrong", "risk", "risk_lower", "risk_upper"), rare)


NOT_COVERED = "The guarantee does not cover these data."


def frozen_sentence(scores: Scores, rows: pd.DataFrame) -> str:
    """Say what the threshold from home does where it errs most: `rows` are of the model shown."""
    if missing(rows["threshold"].iloc[0]):
        return "No threshold was found at home, so nobody is answered here."
    hidden = rows["view"].isin({CLEAN, *masked_views(rows)})
    judged = rows[~hidden & (rows["answered"] >= RATE_FROM)]
    if judged.empty:
        return (
            f"Nowhere here are {RATE_FROM} {scores.unit} or more answered, so how wrong the "
            "threshold from home is cannot be told."
        )
    worst = judged.iloc[int(judged["risk"].to_numpy().argmax())]
    return (
        f"At the threshold from home it is most wrong at {worst['view']}: "
        f"{share_of(int(worst['wrong']), int(worst['answered']))}, with "
        f"{worst['answered']:,.0f} of {counted(int(worst['patients']), scores.unit)} answered."
    )


def masked_views(rows: pd.DataFrame) -> set[str]:
    """Return the sites that are too small to show, or whose size would give such a site away."""
    return set(rows[rows["patients"].isna()]["view"])


def shown_shift(scores: Scores, partner: str, rows: pd.DataFrame) -> Table:
    """Return one row a view of a partner: calibration, and what the threshold from home does."""
    counts = dict.fromkeys(("cases", "patients", "answered", "wrong"), "Int64")
    few = rows["patients"] < RATE_FROM
    rates = {name: rows[name].mask(few) for name in ("accuracy", "ece", "coverage")}
    answered, wrong = SHIFT.only("answered", "wrong")
    return rendered(
        f"shift_{partner}",
        f"{partner}: {scores.model}, calibrated and its threshold found at home (target "
        f"{target_text(scores.record['headline_target'])}). {NOT_COVERED}",
        [
            *SHIFT.only("view", "cases", "accuracy", "ece"),
            answered.shown_as("Answered", unit=f"of the {scores.unit}"),
            wrong,
        ],
        rows.astype(counts).assign(**rates),
        behind=rows.astype(counts),
    )


def _wrong(row: Mapping[str, Any]) -> str:
    return count_of(int(row["wrong"]), int(row["answered"]))


SHIFT = TableSpec(
    name="shift",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        PARTNER,
        KIND,
        text("view", "View", key=True),
        text("corruption", key=True),
        count("severity", key=True),
        count("cases", "Cases", disclosure="count"),
        count("patients", disclosure="count"),
        *calibration_columns(),
        share("threshold"),
        count("answered", of="patients", rate="coverage", disclosure="count"),
        count("wrong", "Wrong", unit="of the answered", disclosure="count", write=_wrong),
        share("coverage", disclosure="rate"),
        share("risk", disclosure="rate"),
        share("risk_lower", disclosure="count"),
        share("risk_upper", disclosure="count"),
    ),
    compute=lambda experiment: shift_table(
        experiment.partners, experiment.frame(OPERATING_POINTS), experiment.row.headline_target
    ),
    when=has_partners,
    disclose=_disclose,
)
