"""A calibrator of the source elsewhere: as it is, and corrected with the cases of that place.

The place is another site, or the images of home after damage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from pipeline.artifacts import Predictions
from pipeline.calibrators import Calibrator, SiteCases
from pipeline.calibrators.bcts import BiasCorrectedTemperature
from pipeline.calibrators.estimated_accuracy import fit_estimated_accuracy
from pipeline.calibrators.label_shift import fit_label_shift
from pipeline.calibrators.site import fit_site
from pipeline.errors import InputError
from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.tables.parts.calibration_scores import AWAY, calibration_columns, calibration_scores
from pipeline.tables.parts.column import CALIBRATOR, LOSS, PARTNER, SEED, count, text
from pipeline.tables.parts.disclosure import Classes, without_hidden
from pipeline.tables.parts.over_seeds import over_seeds
from pipeline.tables.parts.partners import PartnerRun, has_partners, labelled
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import MASKED

NUM_DRAWS = 5
"""Halvings of the site's patients that are averaged."""


SHOTS = (20, 50, 100)
"""Labelled cases of the site that a few-shot recalibration may look at."""


KEYS = ["loss", "calibrator", "seed", "partner", "correction"]


@dataclass(frozen=True)
class Halves:
    """Rows of a site's cases: those to adapt to, patient by patient, and those to test on."""

    adapted: Int[np.ndarray, "half"]
    tested: Int[np.ndarray, "other"]


def site_recalibration_table(partners: Sequence[PartnerRun], *, seed: int) -> pd.DataFrame:
    """Return what each correction makes of each calibrator at another site.

    The site's patients are halved at random, several times, and the numbers are means over these
    draws. Every correction is tested on the same half; from the other half it may take

    - ``none``: nothing, the calibrator stays as it was fitted at the source;
    - ``em``, ``bbse``: all logits but no label, with the source's labelled threshold cases; ``em``
      for bcts alone, whose probabilities are calibrated class by class as it needs them, ``bbse``
      where the source's predictions tell all classes apart;
    - ``estimated_accuracy``: the same, for one factor on all temperatures;
    - ``few_shot_20``, ``_50``, ``_100``: so many labelled cases, where half of the site has them.

    Columns loss, calibrator (the source's), seed, partner, correction, cases (tested on, rounded
    mean over the draws), accuracy, nll, ece, brier, num_draws.
    """
    rows: list[dict[str, Any]] = []
    for each, predictions in labelled(partners, "site", "corruption"):
        for halves in halve(predictions.patients, seed=seed):
            for calibrator in each.run.calibrators:
                key = {**each.run.key(calibrator), "partner": each.partner}
                rows += [key | row for row in _corrected(each.run, calibrator, predictions, halves)]
    if not rows:
        return pd.DataFrame()
    groups = pd.DataFrame(rows).groupby(KEYS, sort=False)
    table = groups.mean().assign(num_draws=groups.size()).reset_index()
    # A half that is too small in any draw says nothing of the others' mean.
    table = table[table["num_draws"] == NUM_DRAWS].reset_index(drop=True)
    return table.assign(cases=table["cases"].round().astype(int))


def halve(patients: np.ndarray, *, seed: int) -> Iterator[Halves]:
    """Yield `NUM_DRAWS` random halvings of the cases by patient; none of a single patient."""
    names, owner = np.unique(patients, return_inverse=True)
    for draw in range(NUM_DRAWS if len(names) > 1 else 0):
        place = np.random.default_rng([seed, draw]).permutation(len(names))[owner]
        order = np.argsort(place, kind="stable")
        num_adapted = int((place < len(names) // 2).sum())
        yield Halves(order[:num_adapted], np.sort(order[num_adapted:]))


def _corrected(
    run: Run, calibrator: str, predictions: Predictions, halves: Halves
) -> Iterator[dict[str, Any]]:
    adapted = SiteCases(predictions.logits[halves.adapted], predictions.labels[halves.adapted])
    logits, labels = predictions.logits[halves.tested], predictions.labels[halves.tested]
    for correction, corrected in _corrections(run, run.calibrators[calibrator], adapted):
        scores = calibration_scores(corrected(logits), labels)
        yield {"correction": correction, "cases": len(labels)} | scores


def _corrections(
    run: Run, fitted: Calibrator, adapted: SiteCases
) -> Iterator[tuple[str, Calibrator]]:
    yield "none", fitted
    if run.threshold is not None:
        home = run.threshold.predictions
        source, unlabelled = SiteCases(home.logits, home.labels), SiteCases(adapted.logits)
        if isinstance(fitted, BiasCorrectedTemperature):
            yield "em", fit_label_shift(fitted, unlabelled, source=source, method="em")
        if (corrected := _black_box(fitted, unlabelled, source)) is not None:
            yield "bbse", corrected
        yield "estimated_accuracy", fit_estimated_accuracy(fitted, unlabelled, source=source)
    for shots in SHOTS:
        if shots <= len(adapted.logits):
            few = SiteCases(adapted.logits[:shots], adapted.required_labels[:shots])
            yield f"few_shot_{shots}", fit_site(fitted, few)


def _black_box(fitted: Calibrator, unlabelled: SiteCases, source: SiteCases) -> Calibrator | None:
    try:
        return fit_label_shift(fitted, unlabelled, source=source, method="bbse")
    except InputError:
        # The source's predictions do not tell its classes apart: this method has no answer there.
        return None


def _disclose(
    spec: TableSpec,
    table: pd.DataFrame,
    classes: Classes,  # noqa: ARG001
) -> pd.DataFrame:
    """Hide what was tested on few cases."""
    few = [table["cases"] < MASK_BELOW, table["cases"] < RATE_FROM]
    kinds = np.select(few, ["masked", "counts"], "full")
    return without_hidden(spec, table, pd.Series(kinds, index=table.index))


CORRECTIONS = {
    "none": "none",
    "em": "class shares by EM",
    "bbse": "class shares by BBSE",
    "estimated_accuracy": "estimated accuracy",
}


def shown_site_recalibration(scores: Scores) -> Table:
    """Return what correcting the calibrator with another site's cases gains."""
    calibrator = scores.record["headline_calibrator"]
    rows = pick(scores.frame("site_recalibration"), calibrator=calibrator)
    keys = ["partner", "loss", "correction"]
    return rendered(
        "site_recalibration",
        f"At another site, or on damaged images, after {scores.calibrator}, fitted at home and "
        f"corrected with cases from there, tested on the other half: {scores.spread_text}, "
        f"each the mean of {rows['num_draws'].iloc[0]} halvings of the patients; {MASKED} masked: "
        f"fewer than {MASK_BELOW} cases, and no rate of fewer than {RATE_FROM}.",
        SITE_RECALIBRATION.only(*keys, "cases", *AWAY),
        over_seeds(rows, keys, AWAY),
        behind=scores.frame("site_recalibration"),
    )


def _correction(name: str) -> str:
    """Write a correction in words.

    >>> _correction("few_shot_50"), _correction("none")
    ('50 labelled cases', 'none')
    """
    shots = name.removeprefix("few_shot_")
    return CORRECTIONS.get(name, name) if shots == name else f"{shots} labelled cases"


SITE_RECALIBRATION = TableSpec(
    name="site_recalibration",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        PARTNER.shown_as("Elsewhere"),
        text(
            "correction",
            "Corrected with",
            key=True,
            write=lambda row: _correction(row["correction"]),
        ),
        count("cases", "Cases tested", disclosure="count"),
        *calibration_columns(),
        count("num_draws"),
    ),
    compute=lambda experiment: site_recalibration_table(experiment.partners, seed=experiment.seed),
    when=has_partners,
    disclose=_disclose,
    section="elsewhere",
    show=lambda scores: [shown_site_recalibration(scores)],
)
