"""How well scores tell a model's own test cases from those out of scope, and over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline.calibrators.identity import Identity
from pipeline.calibrators.temperature import TemperatureScaling
from pipeline.evaluation.partners import PartnerRun, foreign
from pipeline.metrics.ood import OOD_SCORES, ood_metrics
from pipeline.metrics.selection_scores import SelectionScores, calibrated_logits

OF_PROBABILITIES = ("max_softmax", "entropy")
OF_LOGITS = ("max_logit", "energy")
KEYS = ["loss", "calibrator", "partner", "kind", "score"]
FIGURES = ["auroc", "aupr_in", "aupr_out", "fpr_at_95_tpr"]


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


def ood_summary_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over seeds of the `ood_table`, one row a figure.

    Columns loss, calibrator, partner, kind, score, metric (auroc, aupr_in, aupr_out,
    fpr_at_95_tpr), mean, sd (n - 1 in the denominator; empty for one seed), num_seeds.
    """
    long = table.melt([*KEYS, "seed"], FIGURES, var_name="metric")
    groups = long.groupby([*KEYS, "metric"], sort=False)["value"]
    return groups.agg(mean="mean", sd="std", num_seeds="count").reset_index()


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
