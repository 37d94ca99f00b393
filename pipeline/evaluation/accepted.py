"""What is answered, threshold by threshold: true classes against the classes read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.evaluation.run import Run

COLUMNS = ("loss", "calibrator", "seed", "threshold", "label", "prediction", "cases")


def accepted_table(
    run: Run, calibrator: str, exact_band: pd.DataFrame, classes: Sequence[str]
) -> pd.DataFrame:
    """Return how many answered cases of each class are read as each, at each threshold of a curve.

    Columns loss, calibrator, seed, threshold, label (the true class), prediction, cases. Thresholds
    are those of the `exact_band_table`; a case is answered with its patient; pairs of classes that
    no answered case has are left out.
    """
    test, top = run.test, run.test.top(calibrator)
    key = run.key(calibrator)
    chosen = (exact_band[list(key)] == pd.Series(key)).all(axis=1)
    lowest = test.patient_confidence(calibrator)
    pair = test.predictions.labels * len(classes) + top.predicted
    rows = []
    for threshold in exact_band[chosen]["threshold"]:
        counts = np.bincount(pair[lowest >= threshold])
        rows += [
            (*key.values(), threshold, classes[i // len(classes)], classes[i % len(classes)], n)
            for i, n in enumerate(counts)
            if n > 0
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
