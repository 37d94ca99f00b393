"""Each class's mean probability against its share, and its own calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.calibration_error import ece
from pipeline.metrics.calibration_in_the_large import calibration_in_the_large_by_class
from pipeline.metrics.group_shares import RATE_FROM
from pipeline.tables.parts.classes import class_visibilities
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SEED, count, points, share
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.resampled import interval_ends, resampled_statistic
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.parts.wording import counted


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


def shown_class_calibration(scores: Scores) -> Table:
    """Return each class's mean probability against its share."""
    own = scores.shown("class_calibration", every=["calibrator"])
    rare = sum(visibility != "full" for visibility in class_visibilities(scores).values())
    return rendered(
        "class_calibration",
        "One class against the rest, common to rare: mean probability minus the class's "
        f"share, with 95% patient bootstraps. {_not_judged(rare, scores.unit)}",
        CLASS_CALIBRATION.only(
            "class", "calibrator", "cases", "mean_probability", "share", "gap", "ece"
        ),
        own.sort_values("cases", ascending=False, kind="stable").astype({"cases": "Int64"}),
    )


def _not_judged(number: int, unit: str) -> str:
    """Say how many classes cannot be judged.

    >>> _not_judged(1, "patients"), _not_judged(0, "cases")
    ('1 class cannot be judged: fewer than 30 patients, or hidden.', '')
    """
    why = f"cannot be judged: fewer than {RATE_FROM} {unit}, or hidden."
    return f"{counted(number, 'classes')} {why}" if number else ""


CLASS_CALIBRATION = TableSpec(
    name="class_calibration",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        CLASS,
        count("cases", "Test cases", disclosure="count"),
        share("mean_probability", "Mean probability", disclosure="rate"),
        share("share", "Share", disclosure="rate"),
        points("gap", "Gap", unit="points", ends=("gap_lower", "gap_upper"), disclosure="rate"),
        points("gap_lower", disclosure="rate"),
        points("gap_upper", disclosure="rate"),
        share("ece", "ECE", unit="of this class", digits=2, disclosure="rate"),
    ),
    compute=lambda experiment: class_calibration_table(
        experiment.shown, experiment.before_and_after, experiment.classes, **experiment.bootstrap
    ),
    disclose=by_class,
    section="calibration",
    show=lambda scores: [shown_class_calibration(scores)],
)
