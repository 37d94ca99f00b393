"""What each policy costs per 1,000 patients, in referrals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.metrics.bootstrap import resampled_weights
from pipeline.metrics.policy_costs import policy_costs
from pipeline.tables.parts.column import CALIBRATOR, LOSS, POLICY, SEED, TARGET, Across, number
from pipeline.tables.parts.decision_curves import curve_tables
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec

REFERRALS_PER_ERROR = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
"""How many referrals one wrong answer may be worth: named beforehand, by this project."""


def costs_table(
    runs: Sequence[Run], points: pd.DataFrame, *, num_resamples: int, seed: int
) -> pd.DataFrame:
    """Return the cost of each policy per 1,000 patients, in referrals, by what an error is worth.

    Parameters
    ----------
    runs : sequence of Run
    points : DataFrame
        Rows of the `operating_points_table`.
    num_resamples, seed : int
        Of the patient bootstrap.

    Returns
    -------
    DataFrame
        Columns loss, calibrator, seed, target, policy (model, refer_all, answer_all,
        refer_at_random), weight (referrals that one wrong answer is worth), cost, lower, upper.
    """
    tests = {(run.loss, run.seed): run.test for run in runs}
    tables: list[pd.DataFrame] = []
    for point in points.to_dict("records"):
        units = tests[point["loss"], point["seed"]].units(point["calibrator"])
        # Nothing reaches a threshold that is not there: NaN compares false.
        answered = units.confidence >= point["threshold"]
        blocks = [
            policy_costs(answered, units.losses > 0, REFERRALS_PER_ERROR, weights=weights)
            for weights in resampled_weights(units.patients, seed=seed, num_resamples=num_resamples)
        ]
        costs = policy_costs(answered, units.losses > 0, REFERRALS_PER_ERROR)
        key = {name: point[name] for name in ("loss", "calibrator", "seed", "target")}
        columns = {"weight": REFERRALS_PER_ERROR}
        tables += curve_tables(key, columns, "cost", costs, blocks)
    return pd.concat(tables, ignore_index=True)


POLICIES = {
    "refer_all": "refer all",
    "answer_all": "answer all",
    "refer_at_random": "refer as many at random",
    "model": "this model",
}


def shown_costs(frame: pd.DataFrame) -> Table:
    """Return each policy's cost by the weight of an error; `frame` is of one threshold."""
    return rendered(
        "costs",
        "Cost per 1,000 arriving, in referrals, by how many referrals one wrong answer is worth.",
        [POLICY.shown_as("Policy", write=lambda row: POLICIES[row["policy"]])],
        frame,
        across=Across(
            "weight",
            sorted(frame["weight"].unique()),
            lambda weight: number("cost", f"{weight:g}", digits=0),
        ),
    )


COSTS = TableSpec(
    name="costs",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        TARGET,
        POLICY,
        number("weight", key=True),
        number("cost"),
        number("lower"),
        number("upper"),
    ),
    compute=lambda experiment: costs_table(
        experiment.first_seeds, experiment.points_at_target, **experiment.bootstrap
    ),
)
