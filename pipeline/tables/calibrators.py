"""What was fitted, and what it did to the test cases' classes and ranking."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from pipeline.calibrators import rank_inversions, to_json
from pipeline.metrics.top_label import top_label
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED, count, flag, text
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.spec import TableSpec


def calibrators_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row a loss, seed and calibrator: parameters, notes, and changes on the test cases.

    ``argmax_changed`` counts cases whose predicted class is another than the logits';
    ``rank_inversions`` counts pairs of cases whose order of confidence is.
    """
    rows = []
    for run in runs:
        predictions = run.test.predictions
        logits = predictions.logits.astype(np.float64)
        before = top_label(log_softmax(logits, axis=1), predictions.labels)
        for name, calibrator in run.calibrators.items():
            after = run.test.top(name)
            rows.append(
                {
                    "loss": run.loss,
                    "seed": run.seed,
                    "calibrator": name,
                    "parameters": json.dumps(to_json(calibrator), sort_keys=True),
                    "notes": "; ".join(calibrator.notes),
                    "preserves_argmax": calibrator.preserves_argmax,
                    "argmax_changed": int((before.predicted != after.predicted).sum()),
                    "rank_inversions": rank_inversions(before.confidence, after.confidence),
                }
            )
    return pd.DataFrame(rows)


CALIBRATORS = TableSpec(
    name="calibrators",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
        text("parameters"),
        text("notes"),
        flag("preserves_argmax"),
        count("argmax_changed"),
        count("rank_inversions"),
    ),
    compute=lambda experiment: calibrators_table(experiment.runs),
    required=True,
)
