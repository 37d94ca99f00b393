"""How many answered cases of each class are read as each, threshold by threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.tables.exact_band import EXACT_BAND
from pipeline.tables.parts.band_thresholds import thresholds_of
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, count, share, text
from pipeline.tables.parts.disclosure import Classes, without_classes
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.spec import TableSpec

CLASS_COLUMNS = ("loss", "calibrator", "seed", "threshold", "label", "prediction", "cases")


def accepted_table(
    run: Run, calibrator: str, exact_band: pd.DataFrame, classes: Sequence[str]
) -> pd.DataFrame:
    """Return how many answered cases of each class are read as each, at each threshold of a curve.

    Columns loss, calibrator, seed, threshold, label (the true class), prediction, cases. Thresholds
    are those of the `exact_band_table`; a case is answered with its patient; pairs of classes that
    no answered case has are left out.
    """
    test, top, key = run.test, run.test.top(calibrator), run.key(calibrator)
    lowest = test.patient_confidence(calibrator)
    pair = test.predictions.labels * len(classes) + top.predicted
    rows = []
    for threshold in thresholds_of(exact_band, key):
        counts = np.bincount(pair[lowest >= threshold])
        rows += [
            (*key.values(), threshold, classes[i // len(classes)], classes[i % len(classes)], n)
            for i, n in enumerate(counts)
            if n > 0
        ]
    return pd.DataFrame(rows, columns=list(CLASS_COLUMNS))


def _disclose(spec: TableSpec, table: pd.DataFrame, classes: Classes) -> pd.DataFrame:  # noqa: ARG001
    return without_classes("label", table, classes)


ACCEPTED = TableSpec(
    name="accepted",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        share("threshold", key=True),
        text("label", key=True),
        text("prediction", key=True),
        count("cases"),
    ),
    compute=lambda experiment: accepted_table(
        experiment.shown,
        experiment.row.headline_calibrator,
        experiment.frame(EXACT_BAND),
        experiment.classes,
    ),
    may_be_empty=True,
    disclose=_disclose,
)
