"""How well scores tell a model's own test cases from those out of scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline.calibrators.identity import Identity
from pipeline.calibrators.temperature import TemperatureScaling
from pipeline.metrics.ood import OOD_SCORES, ood_metrics
from pipeline.metrics.selection_scores import SelectionScores, calibrated_logits
from pipeline.tables.parts.column import (
    CALIBRATOR,
    KIND,
    LOSS,
    PARTNER,
    SCORE,
    SEED,
    Column,
    count,
    number,
)
from pipeline.tables.parts.over_seeds import over_seeds
from pipeline.tables.parts.partners import PartnerRun, foreign, has_foreign_partners
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.scores import Scores, headline_and_baseline
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec

OF_PROBABILITIES = ("max_softmax", "entropy")


OF_LOGITS = ("max_logit", "energy")


def ood_table(partners: Sequence[PartnerRun]) -> pd.DataFrame:
    """Return one row a run, calibrator, partner out of scope and score.

    Columns loss, calibrator, seed, partner, kind (near_ood, far_ood), score, known (own test
    cases), foreign (the partner's), auroc, aupr_in, aupr_out, fpr_at_95_tpr: see `ood_metrics`.
    Scores are max_softmax and entropy for every calibrator. max_logit and energy also see the
    constant that probabilities have lost, so they are taken of the logits as trained (identity)
    and divided by a temperature; no other calibrator says what becomes of it.
    """
    rows: list[dict[str, Any]] = []
    for each in foreign(partners):
        for calibrator in each.run.calibrators:
            key = each.key(calibrator)
            for score, known, unknown in _scored(each, calibrator):
                counts = {"score": score, "known": len(known), "foreign": len(unknown)}
                rows.append(key | counts | ood_metrics(known, unknown))
    return pd.DataFrame(rows)


def _scored(
    each: PartnerRun, calibrator: str
) -> Iterator[tuple[str, SelectionScores, SelectionScores]]:
    """Yield every score that this calibrator has, of the known cases and of the foreign ones."""
    test = each.run.test
    known, unknown = test.log_probabilities[calibrator], each.log_probabilities(calibrator)
    for name in OF_PROBABILITIES:
        yield name, OOD_SCORES[name](known), OOD_SCORES[name](unknown)
    if isinstance(each.run.calibrators[calibrator], Identity | TemperatureScaling):
        known = calibrated_logits(test.predictions.logits, known)
        unknown = calibrated_logits(each.predictions.logits, unknown)
        for name in OF_LOGITS:
            yield name, OOD_SCORES[name](known), OOD_SCORES[name](unknown)


SHOWN = ("auroc", "aupr_in", "aupr_out", "fpr_at_95_tpr")


def shown_ood(scores: Scores) -> Table:
    """Return how well scores tell own from foreign images, for the headline and the baseline."""
    frame = scores.frame("ood")
    own = frame["loss"].isin(headline_and_baseline(scores))
    rows = frame[own & frame["calibrator"].isin(scores.before_and_after)]
    keys = ["partner", "loss", "calibrator", "score"]
    return rendered(
        "ood",
        "How well a score tells own test images from images out of scope: "
        f"{scores.spread_text}. Max logit and energy need logits, which are left as such without a "
        "calibrator and by a temperature alone.",
        OOD.only(*keys, *SHOWN),
        over_seeds(rows, keys, SHOWN),
        behind=frame,
    )


def _in_percent(name: str, label: str, unit: str) -> Column:
    return number(name, label, unit=unit, factor=100, sd=f"{name}_sd")


OOD = TableSpec(
    name="ood",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        PARTNER.shown_as("Images"),
        KIND,
        SCORE,
        count("known"),
        count("foreign"),
        _in_percent("auroc", "AUROC", "↑ %"),
        _in_percent("aupr_in", "AUPR, own", "↑ %"),
        _in_percent("aupr_out", "AUPR, foreign", "↑ %"),
        _in_percent("fpr_at_95_tpr", "Foreign passed", "↓ % where 95% of the own pass"),
    ),
    compute=lambda experiment: ood_table(experiment.partners),
    when=has_foreign_partners,
)
