"""The net benefit of acting on each critical class, before and after calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from pipeline.metrics.bootstrap import resampled_weights
from pipeline.metrics.net_benefit import Referral, decision_curves
from pipeline.metrics.patient_units import whole_patients
from pipeline.tables.parts.column import (
    CALIBRATOR,
    CLASS,
    LOSS,
    POLICY,
    SEED,
    Across,
    number,
    share,
    text,
)
from pipeline.tables.parts.decision_curves import curve_tables
from pipeline.tables.parts.disclosure import Classes, without_classes
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.spec import TableSpec

THRESHOLD_PROBABILITIES = np.arange(1, 51) / 100
"""At which acting and not acting are worth the same: 1 % to 50 %."""


READER_SENSITIVITY = READER_SPECIFICITY = 1.0
"""Of the reader who gets what is referred. No reader was studied: the best there could be."""


REFERRAL_COST = 0.02
"""True positives one would give to save one referral: finding one case is worth 50 readings."""


NO_MODEL = ("act_on_all", "act_on_none", "refer_all")
"""Policies that no model has a part in."""


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
            tables += curve_tables(key, grid, "net_benefit", decision_curves(*given), blocks)
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


WITHOUT_REFERRAL = ("model", "act_on_all", "act_on_none")
"""Policies that refer nobody."""


def _without_referral(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["policy"].isin(WITHOUT_REFERRAL)] if len(table) else table


EVERY_POLICY = TableSpec(
    name="every_policy",
    columns=(),
    compute=lambda experiment: net_benefit_table(
        experiment.shown,
        experiment.points_of_shown,
        experiment.classes,
        experiment.card["critical_classes"],
        **experiment.bootstrap,
    ),
)
"""All policies; written as two tables, of those that refer nobody and of those that do."""


def _disclose(spec: TableSpec, table: pd.DataFrame, classes: Classes) -> pd.DataFrame:  # noqa: ARG001
    return without_classes("class", table, classes)


PREFERENCES_SHOWN = (2, 5, 10, 20, 30, 50)
"""In percent; fixed before any result was seen."""


def shown_net_benefit(
    key: str, name: str, curves: Mapping[str, pd.DataFrame], *, behind: pd.DataFrame
) -> Table:
    """Return the curves of acting on one class at a few preferences; all of them stand behind."""
    rows = pd.concat([curve.assign(label=label) for label, curve in curves.items()])
    return rendered(
        key,
        f"Net benefit of acting on {name}, per 1,000 arriving, by the preference: the "
        "probability from which on acting is worth it. The CSV holds all of them with intervals.",
        [text("label", "Policy", key=True)],
        rows.assign(percent=(100 * rows["threshold_probability"]).round().astype(int)),
        across=Across(
            "percent",
            PREFERENCES_SHOWN,
            lambda preference: number("net_benefit", f"{preference}%", digits=0, factor=1000),
        ),
        behind=behind,
    )


NET_BENEFIT = TableSpec(
    name="net_benefit",
    columns=(
        LOSS,
        CALIBRATOR,
        SEED,
        CLASS,
        POLICY,
        share("threshold_probability", key=True),
        number("net_benefit"),
        number("lower"),
        number("upper"),
    ),
    compute=lambda experiment: _without_referral(experiment.frame(EVERY_POLICY)),
    disclose=_disclose,
)
