"""Accuracy as a smooth function of confidence, with its band."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.metrics.smooth_curve import smooth_curve
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, share
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.spec import TableSpec


def smooth_curve_table(
    runs: Sequence[Run], calibrators: Sequence[str], *, num_resamples: int, seed: int
) -> pd.DataFrame:
    """Return accuracy as a smooth function of confidence, with a pointwise 95 % patient bootstrap.

    Columns loss, calibrator, seed, confidence, accuracy, lower, upper; of each run given, at the
    points near which enough cases lie. A kernel's curve, so its band says nothing of what the
    kernel blurs; see `smooth_curve`.
    """
    rows = []
    for run in runs:
        for calibrator in calibrators:
            top = run.test.top(calibrator)
            curve = smooth_curve(
                top.confidence,
                top.correct,
                run.test.predictions.patients,
                seed=seed,
                num_resamples=num_resamples,
            )
            names = ("confidence", "accuracy", "lower", "upper")
            columns = {name: getattr(curve, name) for name in names}
            table = pd.DataFrame(run.key(calibrator) | columns)
            rows.append(table[table["accuracy"].notna()])
    return pd.concat(rows, ignore_index=True)


SMOOTH_CURVE = TableSpec(
    name="smooth_curve",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        share("confidence", key=True),
        share("accuracy"),
        share("lower"),
        share("upper"),
    ),
    compute=lambda experiment: smooth_curve_table(
        experiment.headline_and_baseline, experiment.before_and_after, **experiment.bootstrap
    ),
)
