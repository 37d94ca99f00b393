"""Every loss and calibrator against the best of each metric, seed by seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.tables.parts.column import CALIBRATOR, LOSS, METRIC, count, number, text
from pipeline.tables.parts.pairing import by_metric, compare_with, comparison_columns
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.runs import RUNS


def comparisons_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return each loss and calibrator against the best of each metric, seed by seed.

    Parameters
    ----------
    scores : DataFrame
        The `runs_table`: every method has the same seeds.

    Returns
    -------
    DataFrame
        Columns metric, loss, calibrator, reference_loss, reference_calibrator (the pair with the
        best mean), mean_difference (method less reference), sd, num_pairs, lower, upper (Student's
        95 % interval of the mean difference over seeds), p_value (paired t-test), p_value_holm
        (corrected over the methods compared with that reference). Which is best was seen before it
        was tested: a p-value above 5 % says "not shown to be worse", no more. A metric that some
        run lacks is left out.
    """
    rows: list[dict[str, Any]] = []
    for metric, values in by_metric(scores):
        means = {method: np.mean(list(seeds.values())) for method, seeds in values.items()}
        choose = max if metric.better == "higher" else min
        best = choose(means, key=lambda method: means[method])
        reference = {"reference_loss": best[0], "reference_calibrator": best[1]}
        for (loss, calibrator), found in compare_with(values, best):
            key = {"metric": metric.name, "loss": loss, "calibrator": calibrator}
            rows.append(key | reference | comparison_columns(found))
    return pd.DataFrame(rows)


COMPARISONS = TableSpec(
    name="comparisons",
    columns=(
        METRIC,
        LOSS,
        CALIBRATOR,
        text("reference_loss"),
        text("reference_calibrator"),
        number("mean_difference"),
        number("sd"),
        count("num_pairs"),
        number("lower"),
        number("upper"),
        number("p_value"),
        number("p_value_holm"),
    ),
    compute=lambda experiment: comparisons_table(experiment.frame(RUNS)),
)
