"""All that a log and its labels tell of a release: computed, not worded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

from pipeline.calibrators.label_shift import most_likely_prevalence
from pipeline.metrics.group_shares import MASK_BELOW, Visibility, visibilities
from pipeline.monitoring.betting import excess_bets, tilted_bets, uniform_bets
from pipeline.monitoring.confidence_sequence import confidence_sequence
from pipeline.monitoring.decision_log import PROBABILITY
from pipeline.monitoring.evidence import Evidence
from pipeline.monitoring.patients import decided_by_model, first_studies, labelled_answers
from pipeline.monitoring.urn import ReferenceBins, conformal_p_values, next_chances
from pipeline.releasing import Release

RECENT = 1_000
"""Patients, the last ones, whose error and prevalence are estimated."""

CHOSEN_LEVEL = 0.01
"""Of the test whether the labelled differ from the other answered; it is a warning."""

CLOCK = pd.Timedelta(minutes=1)
"""By which a clock may be set back without a warning."""

LEAST_SHARE = 1e-9
"""Of a class at home: none is ruled out."""


@dataclass(frozen=True)
class Group:
    """The labelled answers of one site, or to one class.

    `known` says that the release itself names the group as worse than the others.
    """

    column: str
    name: str
    num_labelled: int
    num_wrong: int
    visibility: Visibility
    known: bool
    excess: Evidence


@dataclass(frozen=True)
class Watch:
    """What was seen.

    Attributes
    ----------
    patients : DataFrame
        The first decision on each patient.
    num_studies : int
        Of the whole log.
    set_back : Timedelta
        The most by which a decision's time is earlier than that of one before it.
    labelled : DataFrame
        See `labelled_answers`.
    excess : Evidence
        Against "each answer is wrong with a chance of at most the target".
    lower, upper : float arrays, (labelled + 1,)
        Limits of the risk after each label, and before the first.
    chosen : float or None
        p-value of "the labelled answers are as confident as the others"; None with too few.
    changes : dict of str to Evidence
        Against "new patients are like the reference", by what is looked at.
    groups : list of Group
    error_answered : float or None
        Mean of one minus confidence among the recent answered patients.
    prevalence : dict of str to float
        Estimated, of the recent patients; empty without any.
    """

    release: Release
    patients: pd.DataFrame
    num_studies: int
    set_back: pd.Timedelta
    labelled: pd.DataFrame
    excess: Evidence
    lower: np.ndarray
    upper: np.ndarray
    chosen: float | None
    changes: dict[str, Evidence]
    groups: list[Group]
    error_answered: float | None
    prevalence: dict[str, float]

    @property
    def num_answered(self) -> int:
        """Patients who were answered."""
        return int((self.patients["outcome"] == "answered").sum())

    @property
    def num_wrong(self) -> int:
        """Wrong ones among the labelled answers."""
        return int(self.labelled["wrong"].sum())


def watch(release: Release, log: pd.DataFrame, labels: pd.DataFrame | None) -> Watch:
    """Return what a log and, if there are any, its labels tell of a release."""
    rule = release.rule
    patients = first_studies(log)
    decided = decided_by_model(patients)
    labelled = labelled_answers(patients, labels)
    wrong = labelled["wrong"].to_numpy(bool)
    counts = np.concatenate([[0], np.cumsum(wrong)])
    lower, upper = confidence_sequence(counts, np.arange(len(counts)), rule.delta)
    times = pd.to_datetime(log["decided_at"])
    recent = patients.loc[decided.tail(RECENT).index]
    answered = recent.loc[recent["outcome"] == "answered", "confidence"]
    return Watch(
        release=release,
        patients=patients,
        num_studies=len(log),
        set_back=(times.cummax() - times).max(),
        labelled=labelled,
        excess=Evidence.of_bets(excess_bets(wrong, rule.target), rule.delta),
        lower=lower,
        upper=upper,
        chosen=_chosen(patients, labelled),
        changes=_changes(release, decided),
        groups=_groups(release, labelled),
        error_answered=float(1.0 - answered.mean()) if len(answered) else None,
        prevalence=_prevalence(release, recent),
    )


def _changes(release: Release, decided: pd.DataFrame) -> dict[str, Evidence]:
    """Return two tests, each with half of delta; one where the release has no threshold.

    Such a release refers everybody, or as many as the user lets it: the share tells nothing.
    """
    reference, delta = release.reference, release.rule.delta / 2
    bins = ReferenceBins.of_quantiles(
        np.asarray(reference.confidence_quantiles), reference.num_patients
    )
    places = conformal_p_values(decided["confidence"].to_numpy(), bins)
    confidence = Evidence.of_bets(uniform_bets(places), delta)
    if not release.rule.found:
        return {"confidence": confidence}
    referred = (decided["outcome"] == "referred").to_numpy()
    chances = next_chances(referred, share=reference.referred, num_patients=reference.num_patients)
    return {
        "confidence": confidence,
        "referral": Evidence.of_bets(tilted_bets(referred, chances), delta),
    }


def _groups(release: Release, labelled: pd.DataFrame) -> list[Group]:
    """Return the sites and the classes answered, each tested with an equal part of delta."""
    known = {(each.column, each.group) for each in release.limits.excess_risk}
    columns = {"site": "site", "class": "predicted"}
    found: list[Group] = []
    for column, name in columns.items():
        of_column = labelled[labelled[name] != ""]
        counts = of_column[name].value_counts().sort_index()
        seen = visibilities({str(group): int(count) for group, count in counts.items()})
        for group, visibility in seen.items():
            wrong = of_column.loc[of_column[name] == group, "wrong"].to_numpy(bool)
            bets = excess_bets(wrong, release.rule.target)
            evidence = Evidence.of_bets(bets, release.rule.delta / _num_groups(release, labelled))
            found.append(
                Group(
                    column, group, len(wrong), int(wrong.sum()), visibility,
                    known=(column, group) in known, excess=evidence,
                )
            )  # fmt: skip
    return found


def _num_groups(release: Release, labelled: pd.DataFrame) -> int:
    """Return how many groups share delta: every class, and every site of release and log."""
    sites = {*(release.limits.sites or ()), *labelled["site"].unique()} - {""}
    return len(release.classes) + len(sites)


def _chosen(patients: pd.DataFrame, labelled: pd.DataFrame) -> float | None:
    """Return the p-value of Kolmogorov and Smirnov's test of labelled against unlabelled."""
    if len(labelled) < MASK_BELOW:
        return None
    other = (patients["outcome"] == "answered") & ~patients["patient"].isin(labelled["patient"])
    if other.sum() < MASK_BELOW:
        return None
    others = patients.loc[other, "confidence"]
    return float(ks_2samp(labelled["confidence"], others, method="asymp").pvalue)


def _prevalence(release: Release, recent: pd.DataFrame) -> dict[str, float]:
    if recent.empty:
        return {}
    columns = [f"{PROBABILITY}{name}" for name in release.classes]
    home = np.array([release.reference.prevalence[name] for name in release.classes])
    home = np.maximum(home, LEAST_SHARE)
    with np.errstate(divide="ignore"):
        log_probabilities = np.log(recent[columns].to_numpy())
    shares, _ = most_likely_prevalence(log_probabilities, home / home.sum())
    return dict(zip(release.classes, shares.tolist(), strict=True))
