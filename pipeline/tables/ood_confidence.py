"""How sure one model is of its own test cases, and of those out of scope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from pipeline.metrics.bins import width_bins
from pipeline.metrics.selection_scores import confidence
from pipeline.metrics.weighting import case_weights
from pipeline.tables.parts.column import CALIBRATOR, KIND, PARTNER, count, share
from pipeline.tables.parts.partners import PartnerRun, foreign, has_foreign_partners
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.spec import TableSpec

NUM_BINS = 20


KNOWN = "known"
"""Stands for the partner and for the kind of a model's own test cases."""


def ood_confidence_table(
    shown: Run, partners: Sequence[PartnerRun], calibrators: Sequence[str]
) -> pd.DataFrame:
    """Return how one model's confidence lies on its own test cases and on those out of scope.

    Columns calibrator, partner and kind (both ``known`` for the own test cases), left, right (20
    bins of equal width, each with its right edge, the first with 0 as well), cases, share.
    """
    tables = []
    own = [each for each in foreign(partners) if each.run is shown]
    for calibrator in calibrators:
        sides = {(KNOWN, KNOWN): shown.test.log_probabilities[calibrator]}
        sides |= {(each.partner, each.kind): each.log_probabilities(calibrator) for each in own}
        for (partner, kind), log_probabilities in sides.items():
            key = {"calibrator": calibrator, "partner": partner, "kind": kind}
            tables.append(pd.DataFrame(key | _histogram(confidence(log_probabilities))))
    return pd.concat(tables, ignore_index=True)


def _histogram(scores: Float[np.ndarray, "cases"]) -> dict[str, np.ndarray]:
    # A sum of exponentials may round beyond one.
    bins = width_bins(np.minimum(scores, 1.0), NUM_BINS)
    edges, cases = bins.edges(), bins.counts(case_weights(None, len(scores))).astype(int)
    return {"left": edges[:-1], "right": edges[1:], "cases": cases, "share": cases / len(scores)}


OOD_CONFIDENCE = TableSpec(
    name="ood_confidence",
    columns=(
        CALIBRATOR,
        PARTNER,
        KIND,
        share("left", key=True),
        share("right"),
        count("cases"),
        share("share"),
    ),
    compute=lambda experiment: ood_confidence_table(
        experiment.shown, experiment.partners, experiment.before_and_after
    ),
    when=has_foreign_partners,
)
