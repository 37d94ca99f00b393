"""How often something befalls the patients of each group, small groups kept from view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Shaped

from pipeline.metrics.intervals import (
    LEVEL,
    Interval,
    difference_interval,
    proportion_interval,
    require_level,
)
from pipeline.metrics.weighting import Patients
from pipeline.shapes import require_same_length

MASK_BELOW = 10
"""Groups of fewer patients are not shown at all (a health department's rule)."""

RATE_FROM = 30
"""Groups of fewer patients show counts and an interval, but no rate (a census bureau's advice)."""

NOT_RECORDED = "not recorded"
"""The group of cases whose value is missing."""

Visibility = Literal["masked", "counts", "full"]

Groups = Shaped[np.ndarray, "cases"]
"""The value of one column (site, sex, class ...) for each case; None or NaN where missing."""


@dataclass(frozen=True)
class GroupShare:
    """How many of a group's patients have at least one marked case."""

    visibility: Visibility
    """What may be shown; all that may not is None."""
    num_patients: int | None = None
    num_marked: int | None = None
    """Patients of the group, and those with a marked case in it. None if masked."""
    interval: Interval | None = None
    """Exact interval of the share. None if masked."""
    share: float | None = None
    """``num_marked / num_patients``. None unless full."""
    difference: float | None = None
    difference_interval: Interval | None = None
    """Share less that of all other patients, with an interval that holds for all groups at once
    (Bonferroni). None unless full, or if there is no other group."""


def group_shares(
    groups: Groups,
    marked: Bool[np.ndarray, "cases"],
    patients: Patients,
    *,
    level: float = LEVEL,
) -> dict[str, GroupShare]:
    """Return, group by group, the share of patients with at least one marked case.

    Mark the wrong cases for errors, the referred for the disparity of coverage: who is referred
    more. Patients are the unit because images of one patient are not independent.

    The groups are in the order of their names, missing values last.

    Parameters
    ----------
    groups : array, (n,)
        Each case's group. A patient with cases in two groups counts in both.
    marked : bool array, (n,)
        What is counted.

    Examples
    --------
    >>> sites, marked = np.repeat(["A", "B"], [30, 40]), np.arange(70) % 10 == 0
    >>> shares = group_shares(sites, marked, np.arange(70))
    >>> [(site, share.num_marked, share.num_patients) for site, share in shares.items()]
    [('A', 3, 30), ('B', 4, 40)]
    """
    require_same_length(groups=groups, marked=marked, patients=patients)
    require_level(level)
    names = group_names(groups)
    counts = {name: _count(names == name, marked, patients) for name in ordered_names(names)}
    shown = visibilities({name: num_patients for name, (_, num_patients) in counts.items()})
    simultaneous = 1.0 - (1.0 - level) / max(1, list(shown.values()).count("full"))
    return {
        name: _group_share(
            shown[name],
            counts[name],
            _count(names != name, marked, patients),
            level=level,
            simultaneous=simultaneous,
        )
        for name in counts
    }


def visibilities(num_patients: Mapping[str, int]) -> dict[str, Visibility]:
    """Return what may be shown of each group, given its number of patients.

    A group below 10 is masked. So that it cannot be found by subtraction from the total, the next
    smallest groups are masked too, until at least two groups and ten patients are out of sight.

    >>> visibilities({"A": 4, "B": 31, "C": 12, "D": 40})
    {'A': 'masked', 'B': 'full', 'C': 'masked', 'D': 'full'}
    """
    ascending = sorted(num_patients, key=lambda name: num_patients[name])
    masked = [name for name in ascending if num_patients[name] < MASK_BELOW]
    if masked:
        for name in ascending[len(masked) :]:
            hidden = sum(num_patients[other] for other in masked)
            if len(masked) >= 2 and hidden >= MASK_BELOW:
                break
            masked.append(name)
    return {
        name: "masked" if name in masked else "counts" if count < RATE_FROM else "full"
        for name, count in num_patients.items()
    }


def group_names(groups: Groups) -> Shaped[np.ndarray, "cases"]:
    """Return each case's group as text, with one name for all missing values.

    >>> group_names(np.array(["F", None, float("nan"), 3], dtype=object))
    array(['F', 'not recorded', 'not recorded', '3'], dtype='<U12')
    """
    # Only NaN differs from itself.
    return np.array(
        [NOT_RECORDED if value is None or value != value else str(value) for value in groups]  # noqa: PLR0124
    )


def ordered_names(names: Shaped[np.ndarray, "cases"]) -> list[str]:
    """Return the distinct names in order, that of missing values last."""
    return sorted(set(names.tolist()), key=lambda name: (name == NOT_RECORDED, name))


def _count(
    inside: Bool[np.ndarray, "cases"],
    marked: Bool[np.ndarray, "cases"],
    patients: Patients,
) -> tuple[int, int]:
    """Return how many patients have a marked case inside, and how many have any."""
    return len(np.unique(patients[inside & marked])), len(np.unique(patients[inside]))


def _group_share(
    visibility: Visibility,
    counts: tuple[int, int],
    others: tuple[int, int],
    *,
    level: float,
    simultaneous: float,
) -> GroupShare:
    if visibility == "masked":
        return GroupShare(visibility)
    num_marked, num_patients = counts
    interval = proportion_interval(num_marked, num_patients, level)
    if visibility == "counts":
        return GroupShare(visibility, num_patients, num_marked, interval)
    share = num_marked / num_patients
    if others[1] == 0:
        return GroupShare(visibility, num_patients, num_marked, interval, share)
    return GroupShare(
        visibility,
        num_patients,
        num_marked,
        interval,
        share,
        difference=share - others[0] / others[1],
        difference_interval=difference_interval(counts, others, simultaneous),
    )
