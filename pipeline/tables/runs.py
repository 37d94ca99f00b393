"""Every metric of every run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline.metrics import prepare_cases, score_cases, score_derived
from pipeline.tables.parts.column import CALIBRATOR, LOSS, SEED
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.spec import TableSpec


def runs_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row a loss, seed and calibrator, one column a metric of `score`.

    Then those of `score_derived`, as far as what they need is known.
    """
    return pd.DataFrame(_score_rows(runs))


def _score_rows(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    for run in runs:
        predictions = run.test.predictions
        for name, log_probabilities in run.test.log_probabilities.items():
            key = {"loss": run.loss, "seed": run.seed, "calibrator": name}
            cases = prepare_cases(log_probabilities, predictions.labels)
            derived = score_derived(cases, predictions.patients, predictions.truth)
            yield key | score_cases(cases) | derived


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
