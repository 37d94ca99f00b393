"""Whom the model is wrong for: every metric by class, site, sex, age band or any other column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from pipeline.metrics import NUM_BINS, prepare_cases, score_cases
from pipeline.metrics.bootstrap import NUM_RESAMPLES, Patients, score_intervals
from pipeline.metrics.group_shares import Groups, GroupShare, group_names, group_shares
from pipeline.metrics.intervals import Interval
from pipeline.shapes import Labels, LogProbabilities, require_same_length

AGE_BOUNDS_YEARS = (18, 40, 60, 80)
"""First year of life of each age band but the first."""


@dataclass(frozen=True)
class GroupScore:
    """One group's metrics, as far as its size lets them be shown."""

    wrong: GroupShare
    """Patients with at least one wrong case, with counts and an exact interval: all that is shown
    of a group of 10 to 29 patients. Nothing of a masked one."""
    scores: dict[str, float | None]
    """Every metric of `score`; empty unless the group is shown in full."""
    intervals: dict[str, Interval | None]
    """Their patient-bootstrap intervals; empty unless the group is shown in full."""


def by_group(
    groups: Groups,
    log_probabilities: LogProbabilities,
    labels: Labels,
    patients: Patients,
    *,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
    num_bins: int = NUM_BINS,
) -> dict[str, GroupScore]:
    """Return every metric of every group, with intervals, small groups masked.

    Fewer than 10 patients: masked, and with them a second group, so that subtraction from the
    total fails. 10 to 29: counts and an interval, no rate. The unit is the patient.

    `groups` holds each case's group: site, sex, class name, age band (`age_bands`) ...

    Raises what `score` does.
    """
    cases = prepare_cases(log_probabilities, labels, num_bins)
    require_same_length(labels=labels, groups=groups, patients=patients)
    names = group_names(groups)
    scored = {}
    for name, wrong in group_shares(groups, ~cases.correct, patients).items():
        if wrong.visibility != "full":
            scored[name] = GroupScore(wrong, {}, {})
            continue
        inside = names == name
        group = prepare_cases(log_probabilities[inside], labels[inside], num_bins)
        intervals = score_intervals(
            [group], patients[inside], seed=seed, num_resamples=num_resamples
        )
        scored[name] = GroupScore(wrong, score_cases(group), intervals)
    return scored


def age_bands(
    ages_years: Float[np.ndarray, "cases"], bounds_years: tuple[int, ...] = AGE_BOUNDS_YEARS
) -> Shaped[np.ndarray, "cases"]:
    """Return the age band of each case; None where the age is missing.

    >>> age_bands(np.array([17.9, 18.0, 80.0, np.nan])).tolist()
    ['under 18', '18-39', '80 and over', None]
    """
    between = [
        f"{low}-{high - 1}" for low, high in zip(bounds_years, bounds_years[1:], strict=False)
    ]
    names = [f"under {bounds_years[0]}", *between, f"{bounds_years[-1]} and over", None]
    ages = np.asarray(ages_years, dtype=np.float64)
    band = np.where(np.isnan(ages), len(names) - 1, np.digitize(ages, bounds_years))
    return np.array(names, dtype=object)[band]
