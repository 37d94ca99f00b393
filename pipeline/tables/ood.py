"""How well scores tell a model's own test cases from those out of scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline.calibrators.identity import Identity
from pipeline.calibrators.temperature import TemperatureScaling
from pipeline.metrics.ood import OOD_SCORES, ood_metrics
from pipeline.metrics.selection_scores import SelectionScores, calibrated_logits
from pipeline.tables.parts.column import CALIBRATOR, KIND, LOSS, PARTNER, SCORE, SEED, count, share
from pipeline.tables.parts.partners import PartnerRun, foreign, has_foreign_partners
from pipeline.tables.parts.scores import Scores, headline_and_baseline
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import missing

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


FIGURE_LABELS = {
    "auroc": ("AUROC", "↑ %"),
    "aupr_in": ("AUPR, own", "↑ %"),
    "aupr_out": ("AUPR, foreign", "↑ %"),
    "fpr_at_95_tpr": ("Foreign passed", "↓ % where 95% of the own pass"),
}


def shown_ood(scores: Scores) -> Table | None:
    """Return how well scores tell own from foreign images, for the headline and the baseline."""
    if scores.frame("ood").empty:
        return None
    losses = headline_and_baseline(scores)
    calibrators = {scores.uncalibrated, scores.record["headline_calibrator"]}
    rows = scores.frame("ood")[
        scores.frame("ood")["loss"].isin(losses)
        & scores.frame("ood")["calibrator"].isin(calibrators)
    ]
    keys = ["partner", "loss", "calibrator", "score"]
    cells = [
        (
            *(Cell(str(word).replace("_", " ") if place == 3 else str(word))
              for place, word in enumerate(names)),
            *(_spread(runs[key]) for key in FIGURE_LABELS),
        )
        for names, runs in rows.groupby(keys, sort=False)
    ]  # fmt: skip
    return Table(
        name="ood",
        caption="How well a score tells own test images from images out of scope: "
        f"{scores.spread_text}. Max logit and energy need logits, which are left as such without a "
        "calibrator and by a temperature alone.",
        columns=(
            Heading("Images", numeric=False),
            Heading("Loss", numeric=False),
            Heading("Calibrator", numeric=False),
            Heading("Score", numeric=False),
            *(Heading(label, unit) for label, unit in FIGURE_LABELS.values()),
        ),
        rows=tuple(cells),
        frame=scores.frame("ood"),
        headings=4,
    )


def _spread(values: pd.Series) -> Cell:
    mean, sd = 100 * values.mean(), 100 * values.std()
    return Cell(f"{mean:.1f}" if missing(sd) else f"{mean:.1f} ±\u2009{sd:.1f}")


OOD = TableSpec(
    name="ood",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        PARTNER,
        KIND,
        SCORE,
        count("known"),
        count("foreign"),
        share("auroc"),
        share("aupr_in"),
        share("aupr_out"),
        share("fpr_at_95_tpr"),
    ),
    compute=lambda experiment: ood_table(experiment.partners),
    when=has_foreign_partners,
)
