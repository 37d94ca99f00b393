"""Each class's mean probability against its share, and its own calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.calibration_error import ece
from pipeline.metrics.calibration_in_the_large import (
    calibration_in_the_large_by_class,
)
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SEED, count, points, share
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.resampled import interval_ends, resampled_statistic
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.spec import TableSpec


def class_calibration_table(
    run: Run,
    calibrators: Sequence[str],
    classes: Sequence[str],
    *,
    num_resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return each class's mean probability against its share, and its own calibration error.

    Columns loss, calibrator, seed, class, cases (test cases of the class), mean_probability, share,
    gap (the first less the second), gap_lower, gap_upper (95 % patient bootstrap), ece (of this
    class's probability against being of the class).
    """
    labels = run.test.predictions.labels
    rows: list[dict[str, Any]] = []
    for calibrator in calibrators:
        log_probabilities = run.test.log_probabilities[calibrator]
        probabilities = np.minimum(np.exp(log_probabilities), 1.0)
        gaps = resampled_statistic(
            run,
            partial(calibration_in_the_large_by_class, log_probabilities, labels),
            num_resamples=num_resamples,
            seed=seed,
        )
        for label, name in enumerate(classes):
            own, mean = labels == label, float(probabilities[:, label].mean())
            numbers = {"cases": int(own.sum()), "mean_probability": mean, "share": own.mean()}
            rows.append(
                run.key(calibrator)
                | {"class": name}
                | numbers
                | {"gap": mean - own.mean()}
                | interval_ends(gaps[:, label], "gap_")
                | {"ece": float(ece(probabilities[:, label], own))}
            )
    return pd.DataFrame(rows)


CLASS_CALIBRATION = TableSpec(
    name="class_calibration",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        CLASS,
        count("cases", disclosure="count"),
        share("mean_probability", disclosure="rate"),
        share("share", disclosure="rate"),
        points("gap", disclosure="rate"),
        points("gap_lower", disclosure="rate"),
        points("gap_upper", disclosure="rate"),
        share("ece", disclosure="rate"),
    ),
    compute=lambda experiment: class_calibration_table(
        experiment.shown, experiment.before_and_after, experiment.classes, **experiment.bootstrap
    ),
    disclose=by_class,
)
