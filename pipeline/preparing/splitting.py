"""Split cases by patient: stratified by class or by a hash, seeded, official splits kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.config import Splits
from pipeline.errors import InputError
from pipeline.splits import SPLITS, Split

UNDIVIDED = "all"


def assign_splits(cases: pd.DataFrame, splits: Splits) -> pd.Series:
    """Return the split of every case.

    A group's cases stay together wherever a split is divided.

    `cases` has `group`, `label`, `site` and `official`, the source's own split.

    Raises `InputError` if the source has no official splits though they are asked for, has one that
    is none of ours, or has no case at the site to hold out; or tests others beside that site.
    """
    divided = {"stratified": divide, "hash": divide_by_hash}[splits.assign]
    sources = _official_parts(cases, splits)
    held_out = _held_out(cases, splits.holdout_site)
    parts = sources.mask(held_out, "test")
    for name, shares in splits.divide.items():
        inside = (sources == name) & ~held_out
        if not inside.any():
            known = ", ".join(sorted(sources.unique()))
            message = f"splits.divide: the source has no split '{name}', it has: {known}"
            raise InputError(message)
        parts[inside] = divided(cases[inside], shares, splits.seed)
    if strangers := sorted(set(parts) - set(SPLITS)):
        message = f"the source's splits {strangers} are none of {', '.join(SPLITS)}: divide them"
        raise InputError(message)
    if held_out.any() and (num_others := int((parts[~held_out] == "test").sum())):
        message = (
            f"splits.holdout_site: its patients alone in the test split expected, got {num_others} "
            "cases of others, which the source puts there: divide 'test' among other splits"
        )
        raise InputError(message)
    return parts


def divide(cases: pd.DataFrame, shares: Mapping[Split, float], seed: int) -> pd.Series:
    """Return a part for every case, whole groups at a time, each class in the shares' proportion.

    Every group counts in the class that most of its cases have (the rarest of these in a tie).
    Within a class the groups are shuffled and taken from large to small; each goes to the part
    with the largest share / (cases it has + half the group's cases), Webster's method of
    apportionment, so that the parts are in proportion at every size of group.

    >>> cases = pd.DataFrame({"group": ["a", "a", "b", "c", "d"], "label": [0, 0, 0, 1, 1]})
    >>> divide(cases, {"train": 0.5, "test": 0.5}, seed=0).value_counts().to_dict()
    {'train': 3, 'test': 2}
    """
    names = list(shares)
    share = np.array([shares[name] for name in names])
    placed = {}
    overall = np.zeros(len(names))
    for _, stratum in _describe_groups(cases, seed).groupby("stratum", sort=True):
        filled = np.zeros(len(names))
        for group, size in zip(stratum.index, stratum["size"], strict=True):
            # Parts of equal shares tie in every class: the one that is shortest over all wins.
            priorities = [share / (each + size / 2) for each in (filled, overall + filled)]
            part = int(np.lexsort([-priority.round(12) for priority in reversed(priorities)])[0])
            filled[part] += size
            placed[group] = names[part]
        overall += filled
    return cases["group"].map(placed)


def divide_by_hash(cases: pd.DataFrame, shares: Mapping[Split, float], seed: int) -> pd.Series:
    r"""Return a part for every case that depends on its group's key, the shares and the seed alone.

    .. math:: u_g = \mathrm{SHA256}(\text{seed}/g) \in [0, 1), \qquad
        \text{part}_g = \min \{k : u_g < s_1 + \dots + s_k\}

    The shares are laid out in the pipeline's order of splits, so that neither other cases nor the
    order of the config moves a group. A part's share of the groups is binomial: of n groups it
    gets n s, give or take sqrt(n s (1 - s)), in all and in each class.

    >>> cases = pd.DataFrame({"group": ["a", "a", "b", "c", "d"], "label": [0, 0, 0, 1, 1]})
    >>> divide_by_hash(cases, {"train": 0.5, "test": 0.5}, seed=0).tolist()
    ['test', 'test', 'train', 'train', 'test']
    """
    names = [name for name in SPLITS if name in shares]
    ends = np.cumsum([shares[name] for name in names])
    groups = cases["group"].unique()
    places = [_place_of(group, seed) for group in groups]
    # Without the last end, which rounding may leave below one.
    parts = np.searchsorted(ends[:-1], places, side="right")
    return cases["group"].map(
        {group: names[part] for group, part in zip(groups, parts, strict=True)}
    )


def _place_of(group: str, seed: int) -> float:
    """Return a group's place in [0, 1): the first 53 bits of its hash, as many as a float holds."""
    digest = hashlib.sha256(f"{seed}/{group}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def _official_parts(cases: pd.DataFrame, splits: Splits) -> pd.Series:
    if splits.official:
        if cases["official"].isna().any():
            without = cases.loc[cases["official"].isna(), "case"]
            message = (
                f"splits.official: {len(without)} cases have no official split, "
                f"first {without.iloc[0]}"
            )
            raise InputError(message)
        parts = cases["official"].astype(object)
    else:
        parts = pd.Series(UNDIVIDED, index=cases.index, dtype=object)
    return parts


def _held_out(cases: pd.DataFrame, site: str | None) -> pd.Series:
    """Return whether each case is of a group that was seen at the site to hold out.

    A patient seen at both sites is held out whole: training must not have met the tested.
    """
    at_site = cases["site"] == site
    if site is not None and not at_site.any():
        # Without their names: they stand in a table, or are keyed hashes.
        message = (
            f"splits.holdout_site: no case at '{site}', only at {cases['site'].nunique()} other "
            "sites: the card of the data set prepared without it lists them"
        )
        raise InputError(message)
    return cases["group"].isin(cases.loc[at_site, "group"])


def _describe_groups(cases: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return each group's size and class, shuffled and then sorted from large to small."""
    counts = pd.crosstab(cases["group"], cases["label"])
    rare_first = counts.sum().sort_values(kind="stable").index
    groups = pd.DataFrame(
        {"size": counts.sum(axis=1), "stratum": counts[rare_first].idxmax(axis=1)}
    )
    order = np.random.default_rng(seed).permutation(len(groups))
    return groups.iloc[order].sort_values("size", ascending=False, kind="stable")
