"""Which loss and calibrator to use unless one knows better: the simplest not shown to be worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.config.claims import Choice, Claim, Part, Recommendation, Situation
from pipeline.findings.evidence import Evidence
from pipeline.findings.measuring import measure
from pipeline.findings.verdicts import PartAnswer, answer, pool


@dataclass(frozen=True)
class Candidate:
    """A method held against the simplest.

    Attributes
    ----------
    name : str
        The loss or calibrator.
    found : PartAnswer
        The recommendation's metric, candidate less simplest, as a claim that it is better.
    guards : dict of str to float
        Mean difference over data sets of each guarded metric.
    passes : bool
        Whether the claim is supported, on half of the data sets too, and every margin kept.
    """

    name: str
    found: PartAnswer
    guards: dict[str, float]
    passes: bool


@dataclass(frozen=True)
class Chosen:
    """How the candidates fared against the simplest; `best` is None if it keeps its place."""

    simplest: str
    candidates: tuple[Candidate, ...]
    best: Candidate | None

    @property
    def name(self) -> str:
        """The method to use."""
        return self.simplest if self.best is None else self.best.name

    @property
    def num_tested(self) -> int:
        """How many candidates some experiment holds beside the simplest."""
        return sum(bool(each.found.tested) for each in self.candidates)


@dataclass(frozen=True)
class Recommended:
    """The recommended loss under the simplest calibrator, then the calibrator for that loss."""

    loss: Chosen
    calibrator: Chosen


def recommend(
    rule: Recommendation, situation: Situation, every: Sequence[Evidence], level: float
) -> Recommended:
    """Return the default that follows from the rule for the data of a situation.

    First the loss, under the simplest calibrator; then the calibrator, for that loss. A candidate
    takes the simplest's place if the claim that it is better would be supported, Holm's correction
    being over all comparisons of all candidates, if it is better on at least half of the data sets,
    those included on which it was not run, and if it loses no guarded metric by more than its
    margin; of several, the one with the largest mean gain.
    """
    held = [each for each in every if rule.covers(situation, each.row.dataset)]
    losses, calibrators = rule.losses, rule.calibrators
    loss = _choose(rule, losses, {
        name: _part(rule, name, calibrators.simplest, against_losses=[losses.simplest])
        for name in losses.candidates
    }, held, level)  # fmt: skip
    calibrator = _choose(rule, calibrators, {
        name: _part(rule, loss.name, name, against_calibrators=[calibrators.simplest])
        for name in calibrators.candidates
    }, held, level)  # fmt: skip
    return Recommended(loss, calibrator)


def _part(rule: Recommendation, loss: str, calibrator: str, **against: list[str]) -> Part:
    return Part.model_validate(
        {"says": "recommendation", "metric": rule.metric, "expected": rule.expected,
         "losses": [loss], "calibrators": [calibrator]} | against
    )  # fmt: skip


def _choose(
    rule: Recommendation, choice: Choice, methods: Mapping[str, Part],
    every: Sequence[Evidence], level: float,
) -> Chosen:  # fmt: skip
    better = Claim(key="better", statement="", source="", parts=list(methods.values()))
    answers = answer(better, every, level).parts
    candidates = [
        _candidate(rule, name, found, every) for name, found in zip(methods, answers, strict=True)
    ]
    passed = [(each.found.part.sign * each.found.pooled.mean, each)
              for each in candidates if each.passes and each.found.pooled]  # fmt: skip
    best = max(passed, key=lambda gain: gain[0])[1] if passed else None
    return Chosen(choice.simplest, tuple(candidates), best)


def _candidate(
    rule: Recommendation, name: str, found: PartAnswer, every: Sequence[Evidence]
) -> Candidate:
    guards, kept = {}, True
    for guard in rule.guards:
        update = {"metric": guard.metric, "expected": guard.expected}
        part = found.part.model_copy(update=update)
        if (held := pool(part, measure(part, every))) is not None:
            guards[guard.metric] = held.mean
            kept &= part.sign * held.mean >= -guard.margin
    won = {each.measured.dataset for each in found.tested if each.standing == "for"}
    enough = 2 * len(won) >= len({each.row.dataset for each in every})
    return Candidate(name, found, guards, passes=kept and enough and found.verdict == "supported")
