"""What each loss and calibrator come to over the seeds, from the published scores alone."""

from __future__ import annotations

import pandas as pd

from pipeline.metrics.comparisons import summarise

GROUPS = ["experiment", "loss", "calibrator", "metric"]


def summary_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over seeds of every metric of the table `runs`.

    Columns experiment, loss, calibrator, metric, mean, sd (n - 1 in the denominator; empty for one
    seed), num_seeds; each of the first four in the order in which it appears.
    """
    runs = scores[scores["table"] == "runs"]
    ordered = runs.assign(
        **{name: pd.Categorical(runs[name], categories=runs[name].unique()) for name in GROUPS}
    )
    rows = []
    for keys, values in ordered.groupby(GROUPS, observed=True)["value"]:
        found = summarise(values.tolist())
        rows.append(
            dict(zip(GROUPS, keys, strict=True))
            | {"mean": found.mean, "sd": found.standard_deviation, "num_seeds": found.num_seeds}
        )
    return pd.DataFrame(rows)
