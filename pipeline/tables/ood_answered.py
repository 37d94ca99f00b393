"""How many cases out of scope each target's threshold answers: all are errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.selection_scores import confidence
from pipeline.tables.operating_points import OPERATING_POINTS
from pipeline.tables.parts.column import CALIBRATOR, KIND, LOSS, PARTNER, SEED, TARGET, count, share
from pipeline.tables.parts.partners import PartnerRun, foreign, has_foreign_partners, threshold_at
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import count_of, missing, percent, target_text


def ood_answered_table(
    partners: Sequence[PartnerRun], points: pd.DataFrame, targets: Sequence[float]
) -> pd.DataFrame:
    """Return how many cases out of scope the threshold of each target answers: all are errors.

    Columns loss, calibrator, seed, partner, kind, target, threshold (of the
    `operating_points_table`; empty where none was found, which answers nobody), answered, foreign,
    rate, lower, upper (exact 95 %). The unit is the image, each taken as drawn by itself.
    """
    rows: list[dict[str, Any]] = []
    for each in foreign(partners):
        for calibrator in each.run.calibrators:
            scores = confidence(each.log_probabilities(calibrator))
            for target in targets:
                threshold = threshold_at(points, each.run, calibrator, target)
                found = {"target": target, "threshold": threshold}
                rows.append(each.key(calibrator) | found | _answered(scores >= threshold))
    return pd.DataFrame(rows)


def _answered(accepted: np.ndarray) -> dict[str, float]:
    answered, number = int(accepted.sum()), len(accepted)
    interval = proportion_interval(answered, number)
    return {
        "answered": answered,
        "foreign": number,
        "rate": answered / number,
        "lower": interval.lower,
        "upper": interval.upper,
    }


def answered_sentence(scores: Scores) -> str:
    """Say of each partner out of scope how many images the model shown answers."""
    rows = _answered_by(scores)
    said = [
        f"{count_of(int(row['answered']), int(row['foreign']))} out-of-scope images "
        f"({row['partner']}) {'was' if row['answered'] == 1 else 'were'} answered."
        for _, row in rows.iterrows()
    ]
    if len(rows) and missing(rows["threshold"].iloc[0]):
        said.append("No threshold was found, so nothing at all is.")
    elif len(rows) and rows["answered"].sum():
        said.append("All of these answers are wrong.")
    return " ".join(said)


def _answered_by(scores: Scores) -> pd.DataFrame:
    return scores.shown("ood_answered")


def shown_ood_answered(scores: Scores) -> Table | None:
    """Return how many images out of scope each loss answers at the headline's target."""
    if scores.frame("ood_answered").empty:
        return None
    record = scores.record
    rows = pick(
        scores.frame("ood_answered"),
        calibrator=record["headline_calibrator"],
        target=record["headline_target"],
    )
    cells = []
    for (partner, loss), runs in rows.groupby(["partner", "loss"], sort=False):
        first, rates = runs.iloc[0], runs["rate"]
        among = percent(rates.min()), percent(rates.max())
        cells.append(
            (
                Cell(str(partner)),
                Cell(str(loss)),
                Cell(count_of(int(first["answered"]), int(first["foreign"]))),
                Cell(" to ".join(dict.fromkeys(among))),
                Cell(f"{runs['threshold'].notna().sum()} of {len(runs)}"),
            )
        )
    return Table(
        name="ood_answered",
        caption=f"Images out of scope that are answered, all of them wrongly, at the target of "
        f"{target_text(record['headline_target'])} after {record['headline_calibrator']}; exact "
        "95% intervals, each image taken as drawn by itself.",
        columns=(
            Heading("Images", numeric=False),
            Heading("Loss", numeric=False),
            Heading("Answered", "first seed"),
            Heading("Answered", "fewest to most of all seeds"),
            Heading("Seeds with a threshold"),
        ),
        rows=tuple(cells),
        frame=scores.frame("ood_answered"),
        headings=2,
    )


OOD_ANSWERED = TableSpec(
    name="ood_answered",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        PARTNER,
        KIND,
        TARGET,
        share("threshold"),
        count("answered"),
        count("foreign"),
        share("rate"),
        share("lower"),
        share("upper"),
    ),
    compute=lambda experiment: ood_answered_table(
        experiment.partners, experiment.frame(OPERATING_POINTS), experiment.row.risk_targets
    ),
    when=has_foreign_partners,
    section="elsewhere",
    show=lambda scores: [shown_ood_answered(scores)],
)
