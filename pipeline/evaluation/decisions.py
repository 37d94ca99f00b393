"""What deciding costs and brings: referrals against errors, and net benefit, with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from pipeline.evaluation.run import Applied, Run
from pipeline.metrics.bootstrap import resampled_weights
from pipeline.metrics.intervals import LEVEL
from pipeline.metrics.net_benefit import Referral, decision_curves
from pipeline.metrics.patient_units import whole_patients
from pipeline.metrics.policy_costs import policy_costs

REFERRALS_PER_ERROR = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
"""How many referrals one wrong answer may be worth: named beforehand, by this project."""

THRESHOLD_PROBABILITIES = np.arange(1, 51) / 100
"""At which acting and not acting are worth the same: 1 % to 50 %."""

READER_SENSITIVITY = READER_SPECIFICITY = 1.0
"""Of the reader who gets what is referred. No reader was studied: the best there could be."""

REFERRAL_COST = 0.02
"""True positives one would give to save one referral: finding one case is worth 50 readings."""

NO_MODEL = ("act_on_all", "act_on_none", "refer_all")
"""Policies that no model has a part in."""

Curves = Mapping[str, Float[np.ndarray, "*resamples grid"]]


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
        tables += _curve_tables(key, columns, "cost", costs, blocks)
    return pd.concat(tables, ignore_index=True)


def net_benefit_table(
    run: Run,
    points: pd.DataFrame,
    classes: Sequence[str],
    critical: Sequence[str],
    *,
    num_resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return the net benefit of acting on each critical class, with referral and without.

    A patient's probability of a class is the largest of their cases', and they have it if any case
    does.

    Parameters
    ----------
    run : Run
        One model.
    points : DataFrame
        Its rows of the `operating_points_table`, one a calibrator: whom it refers.
    classes, critical : sequence of str
        All classes, and those to act on; without the latter there are no rows.
    num_resamples, seed : int
        Of the patient bootstrap.

    Returns
    -------
    DataFrame
        Columns loss, calibrator, seed, class, policy, threshold_probability, net_benefit (true
        positives per patient; Vickers and Elkin 2006), lower, upper. Policies ``model``,
        ``model_with_referral`` and ``refer_at_random`` of each calibrator; those of `NO_MODEL`
        once, with loss and calibrator empty. Referred patients go to a reader of
        `READER_SENSITIVITY` and `READER_SPECIFICITY`, at `REFERRAL_COST` each.
    """
    tables: list[pd.DataFrame] = []
    for name in critical:
        for point in points.to_dict("records"):
            probabilities, positive, answered, patients = _patients(
                run.test, point["calibrator"], classes.index(name), point["threshold"]
            )
            referral = Referral(answered, READER_SENSITIVITY, READER_SPECIFICITY, REFERRAL_COST)
            given = (probabilities, positive, THRESHOLD_PROBABILITIES, referral)
            blocks = [
                decision_curves(*given, weights=weights)
                for weights in resampled_weights(patients, seed=seed, num_resamples=num_resamples)
            ]
            key = run.key(point["calibrator"]) | {"class": name}
            grid = {"threshold_probability": THRESHOLD_PROBABILITIES}
            tables += _curve_tables(key, grid, "net_benefit", decision_curves(*given), blocks)
    if not tables:
        return pd.DataFrame()
    table = pd.concat(tables, ignore_index=True)
    table.loc[table["policy"].isin(NO_MODEL), ["loss", "calibrator"]] = ""
    keys = ["loss", "calibrator", "class", "policy", "threshold_probability"]
    return table.drop_duplicates(keys, ignore_index=True)


def _patients(
    test: Applied, calibrator: str, label: int, threshold: float
) -> tuple[
    Float[np.ndarray, "patients"],
    Bool[np.ndarray, "patients"],
    Bool[np.ndarray, "patients"],
    np.ndarray,
]:
    """Return each patient's probability of a class, whether they have it, and are answered."""
    predictions = test.predictions
    probability = np.exp(test.log_probabilities[calibrator][:, label])
    units = whole_patients(-probability, predictions.labels == label, predictions.patients)
    answered = test.units(calibrator).confidence >= threshold
    return np.minimum(-units.confidence, 1.0), units.losses, answered, units.patients


def _curve_tables(
    key: Mapping[str, Any],
    grid: Mapping[str, np.ndarray],
    value: str,
    curves: Curves,
    blocks: Sequence[Curves],
) -> Iterator[pd.DataFrame]:
    """Yield one table a policy: the value on the grid with its percentile interval."""
    tail = (1.0 - LEVEL) / 2
    for policy, values in curves.items():
        resampled = np.concatenate([block[policy] for block in blocks])
        lower, upper = np.quantile(resampled, [tail, 1.0 - tail], axis=0)
        columns = {"policy": policy, **grid, value: values, "lower": lower, "upper": upper}
        yield pd.DataFrame({**key, **columns})
