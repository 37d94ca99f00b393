"""How each class fares as more is answered: the share of its own cases that is read wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics.selective import selective_summary
from pipeline.tables.parts.column import CALIBRATOR, CLASS, LOSS, SCORE, SEED, count
from pipeline.tables.parts.disclosure import by_class
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.selection_scores import POINTS, selection_scores
from pipeline.tables.parts.spec import TableSpec


def class_risk_table(run: Run, calibrators: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """Return the areas and points of each class's own curve: its miss rate against its coverage.

    Columns loss, calibrator, seed, score (of `selection_scores`), class, cases (test cases of
    the class), missed (those read as another), then, among the cases of the class alone, aurc,
    e_aurc, augrc, coverage_at_risk_* and risk_at_coverage_*: for a disease, the share of the ill
    who are answered and told that they are not. Empty for a class without cases. What an attained
    threshold does to each class stands in `accepted_table`.
    """
    labels = run.test.predictions.labels
    rows: list[dict[str, Any]] = []
    for calibrator in calibrators:
        losses = 1 - np.asarray(run.test.top(calibrator).correct, dtype=int)
        for score, sureness in selection_scores(run.test, calibrator):
            for label, name in enumerate(classes):
                own = labels == label
                counts = {"cases": int(own.sum()), "missed": int(losses[own].sum())}
                key = run.key(calibrator) | {"score": score, "class": name}
                points = (
                    selective_summary(sureness[own], losses[own], **POINTS) if own.any() else {}
                )
                rows.append(key | counts | points)
    return pd.DataFrame(rows)


CLASS_RISK = TableSpec(
    name="class_risk",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        SCORE,
        CLASS,
        count("cases", disclosure="count"),
        count("missed", disclosure="count"),
    ),
    compute=lambda experiment: class_risk_table(
        experiment.shown, experiment.before_and_after, experiment.classes
    ),
    metrics=True,
    disclose=by_class,
)
