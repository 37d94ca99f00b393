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
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import count_of, missing, one_or_both, percent, target_text


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
    rows = scores.shown("ood_answered")
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


def shown_ood_answered(scores: Scores) -> Table:
    """Return how many images out of scope each loss answers at the headline's target."""
    frame = scores.shown("ood_answered", every=["loss", "seed"])
    keys = ["partner", "loss"]
    seeds = frame.groupby(keys, sort=False)
    among = seeds.agg(
        fewest=("rate", "min"),
        most=("rate", "max"),
        found=("threshold", "count"),
        seeds=("seed", "size"),
    )
    return rendered(
        "ood_answered",
        f"Images out of scope that are answered, all of them wrongly, at the target of "
        f"{target_text(scores.record['headline_target'])} after "
        f"{scores.calibrator}; exact "
        "95% intervals, each image taken as drawn by itself.",
        [
            PARTNER.shown_as("Images"),
            LOSS,
            count(
                "answered",
                "Answered",
                unit="first seed",
                write=lambda row: count_of(int(row["answered"]), int(row["foreign"])),
            ),
            share(
                "fewest",
                "Answered",
                unit="fewest to most of all seeds",
                write=lambda row: one_or_both(percent(row["fewest"]), percent(row["most"])),
            ),
            count("found", "Seeds with a threshold", of="seeds"),
        ],
        frame.drop_duplicates(keys).join(among, on=keys),
        behind=scores.frame("ood_answered"),
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
