"""What the study's patients were like: limits of use, and what to compare later patients with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool

from pipeline.metrics.group_shares import MASK_BELOW, NOT_RECORDED, group_shares, visibilities
from pipeline.metrics.patient_units import whole_patients
from pipeline.outgoing_text import printable
from pipeline.releasing.manifest import GroupRisk, Limits, Reference, Rule
from pipeline.tables.parts.group_columns import group_columns
from pipeline.tables.parts.run import Applied, Run
from pipeline.training.predictions import AGE_BANDS, age_band

QUANTILES = np.linspace(0.0, 1.0, 101)


def limits(cases: pd.DataFrame, run: Run, rule: Rule) -> Limits:
    """Return the groups that the study has enough patients of, and those that err more.

    Parameters
    ----------
    cases : DataFrame
        Of the prepared data set: patient, site, sex and age. Groups of fewer than 10 patients are
        not named, nor such as would give them away by subtraction.
    run, rule
        Of the test patients who are answered: groups that are wrong more often than all others,
        with a simultaneous interval above zero.
    """
    columns = cases.assign(age_band=[age_band(age) for age in cases["age"]])
    return Limits(
        sites=_seen(columns, "site"),
        sexes=_seen(columns, "sex"),
        age_bands=_seen(columns, "age_band"),
        at_least=MASK_BELOW,
        excess_risk=_excess_risks(run, rule),
    )


def reference(
    held_out: Applied,
    in_scope: Bool[np.ndarray, "cases"],
    rule: Rule,
    *,
    split: str,
    classes: Sequence[str],
) -> Reference:
    """Return what held-out cases look like to the model, in a form that identifies nobody.

    Parameters
    ----------
    held_out : Applied
        Cases with the one calibrator of the release.
    in_scope : bool array, (cases,)
    rule : Rule
    split : str
        What the cases are called.
    classes : sequence of str
    """
    (calibrator,) = held_out.log_probabilities
    patients = held_out.predictions.patients
    units = whole_patients(held_out.top(calibrator).confidence, ~in_scope, patients)
    threshold = np.inf if rule.threshold is None else rule.threshold
    answered = (units.confidence >= threshold) & ~units.losses
    errors = 1.0 - units.confidence[answered]
    prevalence = np.exp(held_out.log_probabilities[calibrator]).mean(axis=0)
    return Reference(
        split=split,
        num_cases=len(patients),
        num_patients=len(units.patients),
        confidence_quantiles=np.quantile(units.confidence, QUANTILES).tolist(),
        prevalence=dict(zip(classes, prevalence.tolist(), strict=True)),
        referred=float(1.0 - answered.mean()),
        out_of_scope=float(units.losses.mean()),
        mean_error_answered=float(errors.mean()) if len(errors) else None,
    )


def _seen(cases: pd.DataFrame, column: str) -> list[str] | None:
    """Return the groups of enough patients; None where the column is recorded of nobody."""
    names = cases[column].fillna(NOT_RECORDED).map(printable)
    if set(names) <= {NOT_RECORDED}:
        return None
    num_patients = cases.groupby(names)["patient"].nunique().to_dict()
    shown = visibilities({str(name): int(number) for name, number in num_patients.items()})
    # Bands of age from the youngest; others by name.
    order = {name: place for place, name in enumerate(AGE_BANDS)}
    seen = [name for name, kind in shown.items() if kind != "masked"]
    return sorted(seen, key=lambda name: (order.get(name, len(order)), name))


def _excess_risks(run: Run, rule: Rule) -> list[GroupRisk]:
    (calibrator,) = run.calibrators
    test = run.test
    answered = test.answered(calibrator, np.nan if rule.threshold is None else rule.threshold)
    if not answered.any():
        return []
    wrong = ~np.asarray(test.top(calibrator).correct, dtype=bool)
    found = []
    for column, groups in group_columns(test.predictions.groups).items():
        shares = group_shares(
            groups[answered], wrong[answered], test.predictions.patients[answered]
        )
        for group, share in shares.items():
            interval = share.difference_interval
            if interval is None or interval.lower <= 0:
                continue
            risk, difference = float(share.share or 0), float(share.difference or 0)
            found.append(GroupRisk(column=column, group=group, risk=risk, others=risk - difference))
    return found
