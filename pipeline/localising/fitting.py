"""What a place's own cases make of a release: calibrator and threshold, and whether it held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np
from jaxtyping import Bool

from pipeline.artifacts import Predictions
from pipeline.calibrators import Calibrator, SiteCases
from pipeline.calibrators.identity import Identity
from pipeline.calibrators.site import fit_site
from pipeline.localising.splitting import SHARES
from pipeline.metrics.patient_units import whole_patients
from pipeline.metrics.risk_tests import binomial_p_value, binomial_upper_limit
from pipeline.metrics.top_label import top_label
from pipeline.releasing.manifest import TIE, Rule
from pipeline.tables.parts.run import Applied, Run
from pipeline.tables.parts.sentences import OperatingPoint

SITE = "site"
"""What the place's calibrator is called."""

MOST_STARTS = 4
"""Of the search for a threshold: they share delta (`pipeline.metrics.fixed_sequence`)."""

MOST_TIMES = 1_000
"""As many patients: nobody waits for more."""


@dataclass(frozen=True)
class Validation:
    """The release as it is, on all patients of the place: nothing was fitted to any.

    `upper_limit` of the risk is exact and one-sided, at the rule's delta; `broken` says that a risk
    of at most the target is excluded at the same level.
    """

    num_patients: int
    answered: int
    wrong: int
    out_of_scope: int
    upper_limit: float
    broken: bool


def validate(
    predictions: Predictions, calibrator: Calibrator, rule: Rule, in_scope: Bool[np.ndarray, "n"]
) -> Validation:
    """Return how a release's own rule, its scope included, fares with a place's patients."""
    top = top_label(calibrator(predictions.logits), predictions.labels)
    losses = 1 - np.asarray(top.correct, dtype=int)
    units = whole_patients(top.confidence, losses, predictions.patients)
    foreign = whole_patients(top.confidence, ~in_scope, predictions.patients).losses.astype(bool)
    threshold = np.inf if rule.threshold is None else rule.threshold - TIE
    answered = (units.confidence >= threshold) & ~foreign
    wrong, number = int(units.losses[answered].sum()), int(answered.sum())
    counts = np.array([wrong]), np.array([max(number, 1)])
    right = np.array([number - wrong])
    return Validation(
        num_patients=len(answered),
        answered=number,
        wrong=wrong,
        out_of_scope=int(foreign.sum()),
        upper_limit=float(binomial_upper_limit(*counts, rule.delta)[0]) if number else 1.0,
        # The chance of so many errors, or more, at the target.
        broken=number > 0
        and float(binomial_p_value(right, counts[1], 1.0 - rule.target)[0]) <= rule.delta,
    )


def localised_run(
    calibrator: Calibrator, name: str, parts: Mapping[str, Predictions], *, loss: str, seed: int
) -> Run:
    """Return the model with the logits as they are, the release's calibrator, and the place's.

    The place's is fitted to the part "calibration", and is the last; thresholds come from the part
    "threshold", and all is tested on the part "test".

    Parameters
    ----------
    calibrator : Calibrator
        The release's.
    name : str
        What it is called there.
    parts : mapping of str to Predictions
        See `split_patients`.
    loss, seed
        What the run is called in tables.
    """
    own = parts["calibration"]
    site = fit_site(calibrator, SiteCases(own.logits, own.labels))
    fitted: dict[str, Calibrator] = {"identity": Identity(), name: calibrator}
    fitted |= {_new_name(fitted): site}

    def applied(predictions: Predictions) -> Applied:
        return Applied(predictions, {key: fit(predictions.logits) for key, fit in fitted.items()})

    return Run(loss, seed, applied(parts["test"]), applied(parts["threshold"]), fitted)


def alone(run: Run) -> Run:
    """Return a run with its last calibrator alone."""
    name = list(run.calibrators)[-1]

    def only(applied: Applied) -> Applied:
        return Applied(applied.predictions, {name: applied.log_probabilities[name]})

    threshold = None if run.threshold is None else only(run.threshold)
    return Run(run.loss, run.seed, only(run.test), threshold, {name: run.calibrators[name]})


def patients_needed(point: OperatingPoint) -> int | None:
    """Return about how many more patients would give a threshold; None if more would not help.

    If all that is missing are cases: as many as can pass without an error, all of them answered.
    Otherwise errors are taken to stay as rare as at the candidate that came closest, until its
    upper limit is the target at a quarter of delta, as the search tests it.
    """
    have = point.num_threshold_patients
    if point.status == "too_few":
        wanted = float(max(point.minimum_answered, have + 1))
    else:
        times = np.geomspace(1.0, MOST_TIMES, 4_000)
        answered = point.lowest_limit_answered * times
        wrong = point.lowest_limit_wrong * times
        limits = binomial_upper_limit(wrong, answered, point.delta / MOST_STARTS)
        enough = np.flatnonzero(limits <= point.target)
        if not len(enough):
            return None
        wanted = have * times[enough[0]]
    return max(1, ceil((wanted - have) / SHARES["threshold"]))


def _new_name(taken: Mapping[str, Calibrator]) -> str:
    """Return a name for the place's calibrator: a release may have been localised before."""
    number = 1
    while (name := SITE if number == 1 else f"{SITE}-{number}") in taken:
        number += 1
    return name
