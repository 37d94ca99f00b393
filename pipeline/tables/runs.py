"""Every metric of every run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline.metrics import prepare_cases, score_cases
from pipeline.metrics.calibrated_model import expected_ece_if_calibrated
from pipeline.metrics.truth import truth_error
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.spec import TableSpec

TRUTH_ERROR = "truth_error"


ECE_IF_CALIBRATED = "ece_if_calibrated"


def runs_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row a loss, seed and calibrator, one column a metric of `score`.

    There is a column ``ece_if_calibrated`` as well, the mean ECE of a calibrated model of these
    confidences and patients, and where a simulation knows the true probabilities, ``truth_error``.
    """
    return pd.DataFrame(_score_rows(runs))


def _score_rows(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    for run in runs:
        predictions = run.test.predictions
        for name, log_probabilities in run.test.log_probabilities.items():
            key = {"loss": run.loss, "seed": run.seed, "calibrator": name}
            cases = prepare_cases(log_probabilities, predictions.labels)
            row = key | score_cases(cases)
            row[ECE_IF_CALIBRATED] = expected_ece_if_calibrated(cases, predictions.patients)
            if predictions.truth is not None:
                row[TRUTH_ERROR] = truth_error(log_probabilities, predictions.truth)
            yield row


RUNS = TableSpec(
    name="runs",
    columns=(
        LOSS,
        SEED,
        CALIBRATOR,
    ),
    compute=lambda experiment: runs_table(experiment.runs),
    required=True,
    metrics=True,
)
