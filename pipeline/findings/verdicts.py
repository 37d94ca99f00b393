"""From paired differences to verdicts: tests, Holm's correction, and a rule of counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import wilcoxon

from pipeline.config.claims import Claim, Part
from pipeline.findings.evidence import Evidence
from pipeline.findings.measuring import Measured, measure
from pipeline.metrics.comparisons import holm, paired_t_interval, paired_t_p_value, summarise
from pipeline.metrics.intervals import Interval
from pipeline.metrics.power import detectable_difference

Standing = Literal["for", "against", "open"]
Verdict = Literal["supported", "contradicted", "undecided", "not tested"]

FEWEST_POOLED = 6
"""Data sets below which no signed-rank test can reach 5 %: the least p-value of n is 2 / 2^n."""


@dataclass(frozen=True)
class Tested:
    """One comparison and how it stands to the claim.

    Attributes
    ----------
    measured : Measured
        The differences.
    mean : float
        Of the differences.
    standard_deviation : float or None
        None for a single pair.
    interval : Interval or None
        Student's, of the mean, uncorrected, at 1 less the level; None where it is not defined.
    p_value, p_value_holm : float or None
        Two-sided, of a paired t-test against `Part.null`; the second after Holm's correction over
        all comparisons of the claim. None where the test is not defined.
    standing : "for", "against" or "open"
        What the comparison says of the claim, see `standing_of`.
    detectable : float or None
        The true mean from which on, to the claim's side, so many seeds would have stood for the
        claim with a chance of 80 %; None where the test is not defined.
    """

    measured: Measured
    mean: float
    standard_deviation: float | None
    interval: Interval | None
    p_value: float | None
    p_value_holm: float | None
    standing: Standing
    detectable: float | None

    @property
    def num_pairs(self) -> int:
        """Seeds that both methods have."""
        return len(self.measured.differences)


@dataclass(frozen=True)
class Pooled:
    """The data sets' mean differences together.

    Attributes
    ----------
    num_datasets : int
        Data sets, each with the mean of its comparisons.
    num_favourable : int
        Those on the claim's side of what is tested against.
    mean : float
        Of the data sets' mean differences.
    p_value : float or None
        Two-sided, of Wilcoxon's signed-rank test against `Part.null`; None for fewer than
        `FEWEST_POOLED` data sets that differ from it.
    """

    num_datasets: int
    num_favourable: int
    mean: float
    p_value: float | None


@dataclass(frozen=True)
class PartAnswer:
    """One part of a claim: its comparisons, their pooled test (None without any), the verdict."""

    part: Part
    tested: tuple[Tested, ...]
    pooled: Pooled | None
    verdict: Verdict

    def count(self, standing: Standing) -> int:
        """Return how many comparisons stand so."""
        return sum(each.standing == standing for each in self.tested)

    @property
    def detectable(self) -> float | None:
        """The median over comparisons; None where no test is defined."""
        found = [each.detectable for each in self.tested if each.detectable is not None]
        return float(np.median(found)) if found else None


@dataclass(frozen=True)
class Answer:
    """A claim and what came out."""

    claim: Claim
    parts: tuple[PartAnswer, ...]
    verdict: Verdict

    @property
    def tested(self) -> list[Tested]:
        """The comparisons of all parts."""
        return [each for part in self.parts for each in part.tested]


def answer(claim: Claim, every: Sequence[Evidence], level: float) -> Answer:
    """Return what the experiments say of a claim, at a level of significance."""
    measured = [(part, found) for part in claim.parts for found in measure(part, every)]
    p_values = {
        str(i): p_value_of(part, found.differences) for i, (part, found) in enumerate(measured)
    }
    corrected = holm({key: p for key, p in p_values.items() if p is not None})
    by_part: dict[int, list[Tested]] = {id(part): [] for part in claim.parts}
    for key, (part, found) in zip(p_values, measured, strict=True):
        p_value = (p_values[key], corrected.get(key))
        by_part[id(part)].append(_tested(part, found, p_value, level, max(1, len(corrected))))
    parts = tuple(_part_answer(part, by_part[id(part)]) for part in claim.parts)
    return Answer(claim, parts, together([part.verdict for part in parts]))


def p_value_of(part: Part, differences: Sequence[float]) -> float | None:
    """Return the two-sided p-value of a paired t-test against zero, or against the margin."""
    return paired_t_p_value([value - part.null for value in differences])


def _tested(
    part: Part, found: Measured, p_value: tuple[float | None, float | None], level: float,
    num_tests: int,
) -> Tested:  # fmt: skip
    summary = summarise(found.differences)
    # Holm asks the least p-value of m to be at most 1 / m of the level; a margin asks nothing more.
    needed = level / num_tests if part.margin is None else level
    distance = detectable_difference(summary.standard_deviation, summary.num_seeds, needed)
    return Tested(
        measured=found,
        mean=summary.mean,
        standard_deviation=summary.standard_deviation,
        interval=paired_t_interval(found.differences, 1 - level),
        p_value=p_value[0],
        p_value_holm=p_value[1],
        standing=standing_of(part, found.differences, *p_value, level),
        detectable=None if distance is None else part.null + part.sign * distance,
    )


def standing_of(
    part: Part, differences: Sequence[float], p_value: float | None, corrected: float | None,
    level: float,
) -> Standing:  # fmt: skip
    """Return how one comparison stands to a claim.

    Of superiority: ``for`` or ``against`` by the side of zero on which the mean lies, if the
    corrected p-value is at most the level. Of non-inferiority: ``for`` if the interval lies
    within the margin, which is that the uncorrected p-value against the margin is at most the
    level (the claim has to hold in each experiment: nothing is gained by more of them, so nothing
    is corrected); ``against`` if the mean lies beyond the margin by the corrected p-value. Methods
    that agree on every seed to the last digit are within any margin.

    >>> part = Part(says="", metric="ece", expected="lower", losses=["gce"], calibrators=["ats"],
    ...             against_losses=["focal"])
    >>> standing_of(part, [-2.0, -1.9], 0.016, 0.031, 0.05)
    'for'
    >>> standing_of(part, [-2.0, -1.9], 0.016, 0.064, 0.05)
    'open'
    """
    if part.kind == "non_inferiority" and len(differences) > 1 and not any(differences):
        return "for"
    if p_value is None or corrected is None:
        return "open"
    favourable = part.sign * (float(np.mean(differences)) - part.null) > 0
    if not favourable:
        return "against" if corrected <= level else "open"
    needed = p_value if part.kind == "non_inferiority" else corrected
    return "for" if needed <= level else "open"


def _part_answer(part: Part, tested: Sequence[Tested]) -> PartAnswer:
    standings = [each.standing for each in tested]
    return PartAnswer(part, tuple(tested), pool(part, [t.measured for t in tested]),
                      verdict_of(standings))  # fmt: skip


def verdict_of(standings: Sequence[Standing]) -> Verdict:
    """Return what a part's comparisons say together.

    Supported if at least half of them are for the claim and none against it; contradicted if more
    are against it than for it; else undecided. Without comparisons it is not tested.

    >>> verdict_of(["for", "open"]), verdict_of(["for", "for", "against"]), verdict_of([])
    ('supported', 'undecided', 'not tested')
    """
    if not standings:
        return "not tested"
    num_for, num_against = standings.count("for"), standings.count("against")
    if num_against > num_for:
        return "contradicted"
    if num_against == 0 and 2 * num_for >= len(standings):
        return "supported"
    return "undecided"


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Return a claim's verdict from those of its parts, all of which it needs.

    >>> together(["supported", "not tested"]), together(["contradicted", "supported"])
    ('undecided', 'contradicted')
    """
    found = set(verdicts)
    if len(found) == 1:
        return found.pop()
    return "contradicted" if "contradicted" in found else "undecided"


def pool(part: Part, measured: Sequence[Measured]) -> Pooled | None:
    """Return the test of all data sets together; None where there is none.

    A data set's comparisons are averaged first, so that one with many partners counts once.

    References
    ----------
    Wilcoxon, Biometrics Bulletin 1 (1945).
    """
    if not measured:
        return None
    by_dataset: dict[str, list[float]] = {}
    for found in measured:
        by_dataset.setdefault(found.dataset, []).append(float(np.mean(found.differences)))
    means = np.array([np.mean(values) for values in by_dataset.values()])
    shifted = means - part.null
    differing = shifted[shifted != 0]
    enough = len(differing) >= FEWEST_POOLED
    return Pooled(
        num_datasets=len(means),
        num_favourable=int((part.sign * shifted > 0).sum()),
        mean=float(means.mean()),
        p_value=float(wilcoxon(differing).pvalue) if enough else None,
    )
